import "./help.css";

import { useEffect, useRef } from "preact/hooks";

import { VIEWS } from "../route";
import { Terms } from "./terms";
import { ABOUT, PRIVACY, VIEW_TERMS, WORDS } from "./words";

interface HelpProps {
  open: boolean;
  onClose(): void;
  /** Whether single keys do something. */
  keys: boolean;
  onKeys(keys: boolean): void;
  /** Of the command that serves the page. */
  version: string | undefined;
}

const KEYS: readonly (readonly [key: string, what: string])[] = [
  ...VIEWS.map((view, index) => [String(index + 1), ABOUT[view].name] as const),
  ["o", "Open images"],
  ["/", "Search, where a view has a search box"],
  ["?", "This help"],
];

const ELSEWHERE: readonly (readonly [key: string, what: string])[] = [
  ["Tab", "Go to the next button, link, table or picture"],
  ["← → ↑ ↓", "Move in a picture that has the focus; what is there is said below it"],
  ["Enter", "Go into it, or show the file"],
  ["Esc", "Close this help"],
];

export function Help({ open, onClose, keys, onKeys, version }: HelpProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current } = dialog;
    if (open && !current?.open) current?.showModal();
    if (!open) current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={onClose}
      onClick={(event) => {
        // The backdrop is the dialog itself; what is in it lies on a child.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="inside">
        <div class="head">
          <h2 id="help-title">Help</h2>
          <button type="button" onClick={onClose}>
            Close help
          </button>
        </div>
        <div class="columns">
          <section>
            <h3>Views</h3>
            <Terms terms={VIEW_TERMS} />
            <h3>Privacy</h3>
            <p>{PRIVACY}</p>
            {version && <p class="hint">Served by shingle {version} on this machine.</p>}
          </section>
          <section>
            <h3>Keys</h3>
            <KeyList keys={KEYS} />
            <label class="row">
              <input type="checkbox" checked={keys} onChange={({ currentTarget }) => onKeys(currentTarget.checked)} />
              Use these single keys
            </label>
            <KeyList keys={ELSEWHERE} />
          </section>
          <section>
            <h3>Words</h3>
            <Terms terms={WORDS} />
          </section>
        </div>
      </div>
    </dialog>
  );
}

function KeyList({ keys }: { keys: readonly (readonly [string, string])[] }) {
  return (
    <dl class="keys">
      {keys.map(([key, what]) => (
        <div key={key}>
          <dt>
            {key.split(" ").map((one) => (
              <kbd key={one}>{one}</kbd>
            ))}
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
