// The frame that is chosen.

import { bytes, count, short, visible } from "../../format";
import { RouteLink } from "../../parts/link";
import type { ViewProps } from "../view";
import type { FrameInfo } from "./book";
import type { Frames } from "./frames";
import { LOOKS, MEANINGS } from "./looks";
import { chunkWords } from "./words";

interface ChosenProps {
  frames: Frames;
  /** -1 for none. */
  frame: number;
  info: FrameInfo | undefined;
  /** The view, for links. */
  at: Pick<ViewProps, "route" | "go">;
}

export function Chosen({ frames, frame, info, at }: ChosenProps) {
  if (frame < 0) return <p class="hint">Choose a frame by a click or by keys to see more of it.</p>;
  const state = frames.state(frame);
  const [start, end] = [frames.start(frame), frames.end(frame)];
  return (
    <div class="panel chosen-frame">
      <h4>Frame {count(frame + 1)}</h4>
      <dl>
        <dt>State</dt>
        <dd>
          {LOOKS[state]!.name}: {MEANINGS[state]}
        </dd>
        <dt>In the blob</dt>
        <dd>
          bytes {count(start)} to {count(end - 1)}, {bytes(end - start)}
        </dd>
        {info && (
          <>
            <dt>File</dt>
            <dd>
              <RouteLink to={{ view: "file", path: info.path }} at={at}>
                {visible(info.path)}
              </RouteLink>
            </dd>
            <dt>In the file</dt>
            <dd>
              {chunkWords(frames, frame, info)}
              {info.digest && (
                <>
                  {" "}
                  <code title={info.digest}>{short(info.digest)}</code>
                </>
              )}
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
