/** The host that a reference makes the browser call: as Docker reads references, the first part if it looks like a host. */
export function hostOf(ref: string): string {
  const plain = ref.replace(/^[a-z+.-]+:\/\//i, "");
  const slash = plain.indexOf("/");
  const first = slash < 0 ? "" : plain.slice(0, slash);
  return /[.:]/.test(first) || first === "localhost" ? first : "docker.io";
}
