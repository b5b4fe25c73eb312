import "./open.css";

import { useState } from "preact/hooks";

import { chosen } from "./files";
import type { Opener, Via } from "./opener";
import { Pick } from "./pick";
import { Terms } from "./terms";
import { VIEW_TERMS } from "./words";

interface OpenProps {
  opener: Opener;
  /** No image is open: the page says what it is for. */
  first: boolean;
  /** What is typed, and not yet asked for. */
  draft: string;
  onDraft(change: string | ((now: string) => string)): void;
}

const VIAS: readonly { value: Via; text: string }[] = [
  { value: "helper", text: "through this command" },
  { value: "registry", text: "directly from the registry" },
];

/** The element that the key o leads to. */
export const REFERENCE = "reference";

export function Open({ opener, first, draft, onDraft }: OpenProps) {
  const [via, setVia] = useState<Via>(opener.helped ? "helper" : "registry");
  const example = (
    <button type="button" class={first ? "primary" : undefined} onClick={() => void opener.openExample()}>
      Open the example
    </button>
  );

  return (
    <section class="open panel no-print" aria-labelledby="open-title">
      <h2 id="open-title">Open images</h2>
      {first && (
        <>
          <p class="lead">
            Shingle shows which files and chunks container images share, what is wasted in them, and what a pull would really
            fetch. It reads only the tables of contents of their layers: about 2 % of the bytes. No data leaves this browser.
          </p>
          <p class="row">
            {example}
            <span class="hint">Three small images, to look around in.</span>
          </p>
        </>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = draft.trim();
          if (!wanted) return;
          onDraft("");
          void opener.openRef(wanted, via).then((done) => {
            // It may want to be corrected.
            if (!done) onDraft((now) => now || wanted);
          });
        }}
      >
        <label for={REFERENCE}>Image reference</label>
        <div class="row">
          <input
            id={REFERENCE}
            type="text"
            class="mono"
            value={draft}
            onInput={({ currentTarget }) => onDraft(currentTarget.value)}
            placeholder="registry.example/app:1"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
            maxLength={1000}
            aria-describedby="reference-hint"
            list={opener.offered.length > 0 ? "offered" : undefined}
          />
          {opener.offered.length > 0 && (
            <datalist id="offered">
              {opener.offered.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
          {opener.helped && <Pick label="How" value={via} options={VIAS} onChange={(chosenVia) => setVia(chosenVia)} />}
          <button type="submit">Open</button>
        </div>
        <p class="hint" id="reference-hint">
          {via === "helper"
            ? "The command reads the images that it was started with, with your logins."
            : "The browser asks the registry itself. Many registries forbid pages to; their images open with the command shingle inspect --web, or as files."}
        </p>
      </form>
      <div class="row">
        <FileButton label="Choose files" onFiles={(files) => void opener.openFiles(chosen(files))} />
        <FileButton label="Choose a folder" folder onFiles={(files) => void opener.openFiles(chosen(files))} />
        {!first && example}
        <span class="hint">
          Or drop them anywhere: OCI and Docker archives, layouts, single layers, and *.shingle-tocs from the command.
        </span>
      </div>
    </section>
  );
}

/** What there will be to see. */
export function Views() {
  return (
    <section aria-labelledby="views-title">
      <h2 id="views-title">What you then see</h2>
      <Terms terms={VIEW_TERMS} class="views" />
    </section>
  );
}

/** A file input that looks like the buttons beside it. */
function FileButton({ label, folder, onFiles }: { label: string; folder?: boolean; onFiles(files: FileList): void }) {
  return (
    <label class="button file">
      <span>{label}</span>
      <input
        type="file"
        class="visually-hidden"
        multiple
        // Not in the types of Preact yet; folders of all browsers that matter.
        {...(folder ? { webkitdirectory: true } : {})}
        onChange={({ currentTarget }) => {
          const { files } = currentTarget;
          if (files && files.length > 0) onFiles(files);
          // So that the same can be chosen again.
          currentTarget.value = "";
        }}
      />
    </label>
  );
}
