// In which order the images are pulled that the machine does not have.

import { useEffect, useRef, useState } from "preact/hooks";

import { type Call, faultOf } from "../../client";
import { bytes } from "../../format";
import { FaultNote, ProgressNote } from "../../parts/asked";
import { nameOf } from "../../parts/picks";
import type { Fault, ImageInfo, Progress } from "../../protocol";
import { say } from "../../shell/say";
import { moved } from "./link";

interface OrderProps {
  images: readonly ImageInfo[];
  having: readonly number[];
  order: readonly number[];
  /** What the pull of each image fetches, as far as that is known. */
  fetched: ReadonlyMap<number, number>;
  call: Call;
  set(order: number[]): void;
}

export function Order({ images, having, order, fetched, call, set }: OrderProps) {
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  // A button that was pressed moves with its image, and the focus with it.
  const focus = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (focus.current === undefined) return;
    list.current?.querySelector<HTMLElement>(`[data-move="${focus.current}"]`)?.focus();
    focus.current = undefined;
  });

  const move = (from: number, to: number) => {
    const image = order[from];
    if (image === undefined || from === to || to < 0 || to >= order.length) return;
    set(moved(order, from, to));
    say(`${nameOf(images, image)} is now ${to + 1} of ${order.length}.`);
  };
  const grip = (from: number) => ({
    onPointerDown(event: PointerEvent) {
      if (event.button !== 0) return;
      event.preventDefault();
      const handle = event.currentTarget as Element;
      handle.setPointerCapture(event.pointerId);
      setDrag({ from, to: from });
    },
    onPointerMove({ clientY }: PointerEvent) {
      if (drag && list.current) setDrag({ from: drag.from, to: placeAt(list.current, clientY) });
    },
    onPointerUp() {
      if (drag) move(drag.from, drag.to);
      setDrag(undefined);
    },
    onPointerCancel() {
      setDrag(undefined);
    },
  });
  const button = (place: number, image: number, way: "up" | "down") => {
    const to = way === "up" ? place - 1 : place + 1;
    const off = to < 0 || to >= order.length;
    return (
      <button
        type="button"
        data-move={`${image}-${way}`}
        aria-label={`Move ${nameOf(images, image)} ${way}`}
        aria-disabled={off}
        onClick={() => {
          if (off) return;
          focus.current = `${image}-${way}`;
          move(place, to);
        }}
      >
        <span aria-hidden="true">{way === "up" ? "↑" : "↓"}</span>
      </button>
    );
  };
  return (
    <section class="order">
      <h3>What is pulled, one after the other</h3>
      <OrderButtons {...{ images, having, order, call, set }} />
      {order.length === 0 && <p>The machine has all images: nothing is left to pull.</p>}
      <ol ref={list}>
        {order.map((image, place) => (
          <li key={image} class={markOf(drag, place)}>
            <span class="grip" aria-hidden="true" title="Drag to another place" {...grip(place)}>
              ⠿
            </span>
            <span class="order-name">
              {place + 1}. {nameOf(images, image)}
            </span>
            <span class="order-figure">{fetched.has(image) ? bytes(fetched.get(image)!) : ""}</span>
            {button(place, image, "up")}
            {button(place, image, "down")}
          </li>
        ))}
      </ol>
    </section>
  );
}

type OrderButtonsProps = Omit<OrderProps, "fetched">;

function OrderButtons({ images, having, order, call, set }: OrderButtonsProps) {
  const [note, setNote] = useState("");
  const [fault, setFault] = useState<Fault>();
  const [progress, setProgress] = useState<Progress>();
  const [asking, setAsking] = useState<AbortController>();
  // Another set of images: what was said of the last one no longer holds.
  useEffect(() => setNote(""), [images, having.join(".")]);
  useEffect(() => () => asking?.abort(), [asking]);

  const cheapest = async () => {
    if (asking || order.length < 2) return;
    const abort = new AbortController();
    setAsking(abort);
    setFault(undefined);
    setNote("");
    try {
      const { order: found } = await call("overlap", {}, { signal: abort.signal, progress: setProgress });
      const here = new Set(having);
      set(found.steps.map((step) => step.image).filter((image) => !here.has(image)));
      const word = found.exact ? "No order costs less" : "Found by looking one pull ahead; another order might cost less";
      setNote(`${word}, for a machine that has nothing and a link without round trips.`);
    } catch (error) {
      if (!abort.signal.aborted) setFault(faultOf(error));
    }
    setAsking(undefined);
    setProgress(undefined);
  };
  return (
    <>
      <div class="row">
        <button type="button" onClick={cheapest} aria-disabled={asking !== undefined || order.length < 2}>
          Cheapest order
        </button>
        <button type="button" onClick={() => set([])}>
          As opened
        </button>
        <span class="hint" role="status">
          {note}
        </span>
      </div>
      {asking && <ProgressNote progress={progress} what="Comparing the images" cancel={() => asking.abort()} />}
      {fault && <FaultNote fault={fault} />}
    </>
  );
}

/** The place in the list that is nearest to a height on the screen. */
function placeAt(list: HTMLOListElement, y: number): number {
  const items = [...list.children];
  const place = items.findIndex((item) => {
    const box = item.getBoundingClientRect();
    return y < box.bottom;
  });
  return place < 0 ? items.length - 1 : place;
}

function markOf(drag: { from: number; to: number } | undefined, place: number): string {
  if (!drag) return "";
  if (place === drag.from) return "dragged";
  if (place !== drag.to) return "";
  return drag.to < drag.from ? "drop-before" : "drop-behind";
}
