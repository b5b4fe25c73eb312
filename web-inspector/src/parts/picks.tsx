// The choices that several views have: which image, and which bytes.

import { visible } from "../format";
import type { ImageInfo, Measure } from "../protocol";
import { Pick } from "../shell/pick";

interface ImagePickProps {
  label?: string;
  images: readonly ImageInfo[];
  value: number;
  onChange(image: number): void;
}

/** One of the images, each with its number: names may be alike. */
export function ImagePick({ label = "Image", images, value, onChange }: ImagePickProps) {
  const options = images.map((_, image) => ({ value: image, text: numbered(images, image) }));
  return <Pick label={label} value={value} options={options} onChange={onChange} />;
}

/** An image's number and name. */
export function numbered(images: readonly ImageInfo[], image: number): string {
  return `${image + 1}  ${nameOf(images, image)}`;
}

/** An image's name for showing. */
export function nameOf(images: readonly ImageInfo[], image: number): string {
  return visible(images[image]?.name ?? "");
}

const MEASURES: readonly { value: Measure; text: string }[] = [
  { value: "compressed", text: "Compressed" },
  { value: "logical", text: "Uncompressed" },
];

export function MeasurePick({ value, onChange }: { value: Measure; onChange(measure: Measure): void }) {
  return <Pick label="Measure" value={value} options={MEASURES} onChange={onChange} />;
}
