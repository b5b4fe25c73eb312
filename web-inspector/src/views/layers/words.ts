// What frames are, in words.

import { useEffect, useState } from "preact/hooks";

import { bytes, count, visible } from "../../format";
import type { FrameBook, FrameInfo } from "./book";
import type { Frames } from "./frames";
import { LOOKS } from "./looks";

/** The entry and the chunk of a frame. */
export function ofFrame(frames: Frames, frame: number): [entry: number, chunk: number] {
  return [frames.strip.entries[frame]!, frames.strip.chunks[frame]!];
}

/** One line about a frame, with its file once that is known. */
export function frameWords(frames: Frames, frame: number, info: FrameInfo | undefined): string {
  const [start, end] = [frames.start(frame), frames.end(frame)];
  const { name } = LOOKS[frames.state(frame)]!;
  const place = `Frame ${count(frame + 1)} of ${count(frames.count)}: ${name}, ${bytes(end - start)}, bytes ${count(start)} to ${count(end - 1)}`;
  return info ? `${place}; ${visible(info.path)}, ${chunkWords(frames, frame, info)}` : place;
}

/** Which part of its file a frame holds. */
export function chunkWords(frames: Frames, frame: number, info: FrameInfo): string {
  const [, chunk] = ofFrame(frames, frame);
  return `chunk ${count(chunk + 1)}: bytes ${count(info.offset)} to ${count(info.offset + info.len - 1)} of the file`;
}

/** Looks up what a frame is once nobody has asked for another for so long; undefined until that is known. */
export function useInfo(book: FrameBook, frames: Frames | undefined, frame: number, pauseMs = 0): FrameInfo | undefined {
  const [, tell] = useState(0);
  const some = frames !== undefined && frame >= 0 && frame < frames.count;
  const [entry, chunk] = some ? ofFrame(frames, frame) : [-1, -1];
  useEffect(() => {
    if (entry < 0 || book.known(entry, chunk)) return undefined;
    let over = false;
    const timer = setTimeout(() => {
      void book.ask(entry, chunk).then(() => over || tell((told) => told + 1));
    }, pauseMs);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [book, entry, chunk, pauseMs]);
  return entry < 0 ? undefined : book.known(entry, chunk);
}
