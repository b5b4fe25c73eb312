// Files that the page makes. Nothing leaves the machine.

/** A text at once, or in pieces as it is made. */
export type Text = string | Iterable<string> | Promise<string>;

/** So long the page may stand still while a file is made. */
const SLICE_MS = 12;

/** Hands a text to the user as a file. */
export async function saveText(name: string, type: string, text: Text): Promise<void> {
  const awaited = await text;
  save(name, new Blob(typeof awaited === "string" ? [awaited] : await gather(awaited), { type }));
}

/** Hands a picture to the user as a file. */
export async function savePicture(name: string, canvas: HTMLCanvasElement): Promise<void> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("the picture is too large for this browser");
  save(name, blob);
}

/** Hands bytes to the user as a file. */
export function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName(name);
  link.click();
  // The browser reads the blob after this.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A name that every file system takes. */
export function fileName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+/, "");
  return plain.length <= 120 ? plain || "shingle" : plain.slice(0, 60) + plain.slice(-60);
}

async function gather(pieces: Iterable<string>): Promise<string[]> {
  const gathered: string[] = [];
  let some: string[] = [];
  let began = performance.now();
  for (const piece of pieces) {
    some.push(piece);
    if (some.length % 64 !== 0 || performance.now() - began < SLICE_MS) continue;
    gathered.push(some.join(""));
    some = [];
    await new Promise((done) => setTimeout(done));
    began = performance.now();
  }
  gathered.push(some.join(""));
  return gathered;
}
