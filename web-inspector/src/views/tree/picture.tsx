// The picture of a tree, and what pointer and keyboard do with it.

import { useEffect, useRef, useState } from "preact/hooks";

import { boxAt } from "../../canvas/hit";
import { LiveLine } from "../../canvas/live";
import { type Frame, pointOn, useSurface } from "../../canvas/surface";
import { useWheel } from "../../canvas/wheel";
import type { NodeIndex } from "../../protocol";
import { bytesOf, inner } from "./draw";
import { boxOf } from "./layout";
import type { Wanted } from "./matches";
import { ROOT } from "./model";
import type { Scene } from "./scene";
import { about, aboutRest } from "./words";

interface PictureProps extends Wanted {
  /** What the picture is of, for people who cannot see it. */
  label: string;
  selected: NodeIndex;
  /** Makes a directory the whole picture. */
  onZoom(directory: NodeIndex): void;
  /** Selects a file. */
  onPick(file: NodeIndex): void;
  /** Opens all about a file. */
  onOpen(file: NodeIndex): void;
  /** Gets what is drawn, for files. */
  scene: Scene;
}

/** So much has to be turned for one step of zoom, in pixels of the wheel. */
const WHEEL_STEP = 100;

export function Picture(props: PictureProps) {
  const { tree, root, picture, colouring, matches, selected, label, onZoom, onPick, onOpen, scene } = props;
  const [cursor, setCursor] = useState(selected);
  const [pointed, setPointed] = useState(-1);
  const focused = useRef(false);
  const wheel = useRef(0);

  // Whoever went up stays where they came from; otherwise the cursor goes to what was selected.
  useEffect(() => {
    if (!tree.holds(selected, cursor)) setCursor(selected);
  }, [tree, selected]);
  const at = tree.holds(root, cursor) ? cursor : root;
  const { canvas, redraw } = useSurface((frame) => {
    const moving = scene.draw(frame, props);
    if (moving) return "again";
    const layout = scene.bitmap?.layout;
    if (!layout) return undefined;
    if (layout.count === 0) nothing(frame);
    if (selected !== root) ring(frame, scene, boxOf(layout, tree, selected), "accent", 3);
    ring(frame, scene, pointed, "ink", 2);
    if (focused.current) ring(frame, scene, boxOf(layout, tree, at), "ink", 2, [5, 3]);
    return undefined;
  });
  useEffect(redraw, [tree, root, picture, colouring, matches, selected, pointed, at]);
  // Rectangles have other numbers now.
  useEffect(() => setPointed(-1), [tree, root, picture]);

  const boxUnder = (event: MouseEvent) => {
    const { x, y } = pointOn(event);
    return scene.bitmap ? boxAt(scene.bitmap.layout, x, y) : -1;
  };
  const enter = (node: NodeIndex) => {
    if (!tree.isDirectory(node)) onPick(node);
    else if (node !== root) onZoom(node);
  };
  const up = () => {
    if (root === ROOT) return;
    setCursor(root);
    onZoom(tree.parent(root));
  };
  const press = (event: MouseEvent) => {
    const layout = scene.bitmap?.layout;
    const box = boxUnder(event);
    // The second press of a double click would fall on another picture.
    if (!layout || box < 0 || event.detail > 1) return;
    const node = layout.node[box]!;
    setCursor(node);
    if (node === root && layout.rest[box] === 0) up();
    else enter(node);
  };
  const pressTwice = (event: MouseEvent) => {
    const layout = scene.bitmap?.layout;
    const box = boxUnder(event);
    if (!layout || box < 0 || layout.rest[box]! > 0) return;
    const node = layout.node[box]!;
    if (!tree.isDirectory(node)) onOpen(node);
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move(event.key)) event.preventDefault();
  };
  const move = (pressed: string): boolean => {
    const siblings = at === root ? Uint32Array.of(root) : tree.largest(tree.parent(at));
    const place = siblings.indexOf(at);
    const go = (node: NodeIndex | undefined) => {
      setPointed(-1);
      if (node !== undefined) setCursor(node);
      return true;
    };
    switch (pressed) {
      case "ArrowRight":
        return go(siblings[place + 1]);
      case "ArrowLeft":
        return go(siblings[place - 1]);
      case "Home":
        return go(siblings[0]);
      case "End":
        return go(siblings[siblings.length - 1]);
      case "ArrowDown":
        return go(tree.largest(at)[0]);
      case "ArrowUp":
        if (at === root) up();
        else go(tree.parent(at));
        return true;
      case "Enter":
      case " ":
        enter(at);
        return true;
      case "Backspace":
      case "Escape":
        if (root === ROOT) return false;
        up();
        return true;
      default:
        return false;
    }
  };

  useWheel(canvas, (event) => {
    // Whoever scrolls past the picture wants to scroll the page.
    if (!focused.current && !event.ctrlKey) return;
    const box = boxUnder(event);
    const inward = event.deltaY < 0;
    const line = box < 0 ? [] : tree.line(scene.bitmap?.layout.node[box] ?? root);
    const inside = line.find((node) => node > root && tree.holds(root, node) && tree.isDirectory(node));
    if (inward ? inside === undefined : root === ROOT) return;
    event.preventDefault();
    const same = Math.sign(wheel.current) === Math.sign(event.deltaY);
    wheel.current = (same ? wheel.current : 0) + event.deltaY * (event.deltaMode === 0 ? 1 : 40);
    if (Math.abs(wheel.current) < WHEEL_STEP) return;
    wheel.current = 0;
    if (!inward) up();
    else if (inside !== undefined) onZoom(inside);
  });

  const focus = (now: boolean) => {
    focused.current = now;
    redraw();
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="surface tree-picture"
        role="img"
        tabIndex={0}
        aria-label={label}
        onPointerMove={(event) => setPointed(boxUnder(event))}
        onPointerLeave={() => setPointed(-1)}
        onClick={press}
        onDblClick={pressTwice}
        onKeyDown={key}
        onFocus={() => focus(true)}
        onBlur={() => focus(false)}
      />
      <LiveLine words={words(props, pointed, at)} />
    </>
  );
}

function words({ tree, scene }: PictureProps, pointed: number, cursor: NodeIndex): string {
  const layout = scene.bitmap?.layout;
  if (!layout || pointed < 0 || pointed >= layout.count) return about(tree, cursor);
  const node = layout.node[pointed]!;
  const rest = layout.rest[pointed]!;
  return rest > 0 ? aboutRest(tree, node, rest, bytesOf(layout, pointed)) : about(tree, node);
}

/** A line around a rectangle, on a lighter one, so that it is seen on any colour. */
function ring(frame: Frame, scene: Scene, box: number, token: "accent" | "ink", thick: number, dash: number[] = []): void {
  const layout = scene.bitmap?.layout;
  if (!layout || box < 0 || box >= layout.count) return;
  const { context, theme } = frame;
  const [x, y, w, h] = inner(layout, box);
  const line = (colour: string, wide: number) => {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.strokeRect(x + thick / 2, y + thick / 2, Math.max(1, w - thick), Math.max(1, h - thick));
  };
  line(theme.raised, thick + 2);
  context.setLineDash(dash);
  line(theme[token], thick);
  context.setLineDash([]);
}

function nothing({ context, theme, width, height }: Frame): void {
  context.fillStyle = theme.faint;
  context.font = "14px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillText("Nothing here has bytes to draw.", width / 2, height / 2);
  context.textAlign = "start";
}
