// Machines that images are for, as the command chooses among them.

/** In the words of the OCI image specification. */
export interface Platform {
  os: string;
  architecture: string;
  variant: string | undefined;
}

/** What most machines are. */
export const COMMON: Platform = { os: "linux", architecture: "amd64", variant: undefined };

export function writePlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant ? `/${variant}` : ""}`;
}

/** Best first: a processor runs what is made for it and for those after it. */
const LADDERS: Record<string, { steps: string[]; common: string }> = {
  amd64: { steps: ["v4", "v3", "v2", "v1"], common: "v1" },
  arm: { steps: ["v8", "v7", "v6", "v5"], common: "v7" },
  arm64: { steps: ["v9", "v8"], common: "v8" },
};

/** How well an image for `offered` runs on `wanted`, smaller is better; `undefined` where it does not. */
export function rank(wanted: Platform, offered: Platform): number | undefined {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return undefined;
  if ((wanted.variant ?? "") === (offered.variant ?? "")) return 0;
  const ladder = Object.hasOwn(LADDERS, wanted.architecture) ? LADDERS[wanted.architecture] : undefined;
  if (!ladder) return undefined;
  // Whoever names no variant means the common one.
  const place = (variant: string | undefined) => ladder.steps.indexOf(variant || ladder.common);
  const [from, to] = [place(wanted.variant), place(offered.variant)];
  return from >= 0 && to >= from ? 1 + to - from : undefined;
}
