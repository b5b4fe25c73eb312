import "./app.css";

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { faultOf } from "./client";
import { save as giveFile } from "./export/save";
import { FaultNote } from "./parts/asked";
import { clamp } from "./route";
import type { Address } from "./shell/address";
import { Consent } from "./shell/consent";
import { Drop } from "./shell/drop";
import type { Source } from "./shell/files";
import { Header } from "./shell/header";
import { Help } from "./shell/help";
import { IMAGES, Images } from "./shell/images";
import { useKeys } from "./shell/keys";
import { Lazy, loadAll } from "./shell/lazy";
import { Open, REFERENCE, Views } from "./shell/open";
import type { Opener } from "./shell/opener";
import { Openings } from "./shell/openings";
import { say } from "./shell/say";
import type { Session } from "./shell/session";
import { keep, recall } from "./shell/storage";
import { useWatched } from "./shell/watched";
import { ABOUT } from "./shell/words";

interface AppProps {
  session: Session;
  address: Address;
  opener: Opener;
}

export function App({ session, address, opener }: AppProps) {
  useWatched(session);
  useWatched(address);
  useWatched(opener);
  const { images } = session;
  const { view } = address.route;
  const route = useMemo(() => clamp(address.route, images.length), [address.route, images]);
  // Whether the page itself went to another view: the browser's Back puts everything back where it was.
  const went = useRef(false);
  const go = useCallback<Address["go"]>(
    (change, replace) => {
      went.current = change.view !== undefined && change.view !== address.route.view;
      address.go(change, replace);
    },
    [address],
  );
  const [help, setHelp] = useState(false);
  const [keys, setKeys] = useState(recall("localStorage", "keys") !== "off");
  const [more, setMore] = useState(false);
  const [draft, setDraft] = useState("");
  const [seen, setSeen] = useState(images);
  const left = useRef(false);
  const main = useRef<HTMLElement>(null);
  const shown = useRef<HTMLDivElement>(null);
  const none = images.length === 0;
  if (seen !== images) {
    setSeen(images);
    if (images.length > seen.length) {
      // What is open is looked at, unless more is on its way or being typed.
      setMore(draft !== "" || session.openings.some(({ fault }) => !fault));
      left.current = document.activeElement?.closest(".open") != null;
    }
  }
  // While the address is being opened, there is no need to ask for images.
  const opens = session.died === undefined && (more || (none && opener.settled && opener.asked.length === 0));

  useEffect(() => {
    document.title = none ? "Shingle: what container images share" : `${ABOUT[view].name} – Shingle`;
  }, [view, none]);
  useEffect(() => {
    if (!none) void loadAll();
  }, [none]);

  useLayoutEffect(() => {
    // What had the focus is gone.
    if (left.current && !opens) main.current?.focus();
    left.current = false;
  }, [opens, images]);

  useLayoutEffect(() => {
    if (!went.current) return;
    went.current = false;
    const place = shown.current;
    // A link of the view that is gone had the focus, somewhere far down: reading goes on where the new view begins.
    if (!place || document.activeElement !== document.body) return;
    place.focus({ preventScroll: true });
    if (place.getBoundingClientRect().top < 0) place.scrollIntoView({ block: "start" });
    say(ABOUT[view].name);
  }, [view]);

  const drop = useCallback((sources: Source[]) => void opener.openFiles(sources), [opener]);
  useKeys(
    {
      onView: (chosen) => {
        go({ view: chosen });
        say(ABOUT[chosen].name);
      },
      onHelp: () => setHelp(true),
      onOpen: () => {
        setMore(true);
        // It may have to be drawn first.
        setTimeout(() => document.getElementById(REFERENCE)?.focus());
      },
      onSearch: () => {
        const box = main.current?.querySelector<HTMLInputElement>("input[type='search']");
        if (box) box.select();
        else say("This view has no search box.");
        box?.focus();
      },
    },
    keys,
  );

  return (
    <>
      <Header route={address.route} go={go} onHelp={() => setHelp(true)} />
      <main id="main" ref={main} tabIndex={-1}>
        {session.died !== undefined && <Died why={session.died} />}
        {!none && (
          <Images
            images={images}
            closing={session.closing}
            more={more}
            onMore={() => setMore(!more)}
            onSave={() => void save(session)}
            onClose={(image) => {
              void opener.close(image).then(() => document.getElementById(IMAGES)?.focus());
            }}
          />
        )}
        <Openings session={session} />
        <Consent opener={opener} />
        {opens && <Open opener={opener} first={none} draft={draft} onDraft={setDraft} />}
        {none ? (
          opens && <Views />
        ) : (
          <div class="view" tabIndex={-1} ref={shown}>
            <Lazy view={view} images={images} route={route} go={go} call={session.call} />
          </div>
        )}
      </main>
      <Help
        open={help}
        onClose={() => setHelp(false)}
        keys={keys}
        onKeys={(on) => {
          keep("localStorage", "keys", on ? "on" : "off");
          setKeys(on);
        }}
        version={opener.version}
      />
      <Drop onDrop={drop} />
    </>
  );
}

/** Nothing can be asked any more; what is shown is only what was answered before. */
function Died({ why }: { why: string }) {
  const fault = {
    message: "The part of the page that reads images has stopped.",
    causes: [why],
    hint: "Images from files have to be opened again.",
  };
  return (
    <div class="died">
      <FaultNote fault={fault}>
        <button type="button" class="primary" onClick={() => location.reload()}>
          Load the page again
        </button>
      </FaultNote>
    </div>
  );
}

/** Gives all that is known of the images to the browser as a download. */
async function save(session: Session): Promise<void> {
  try {
    const bytes = await session.call("save", {});
    giveFile("images.shingle-tocs", new Blob([bytes as BlobPart], { type: "application/gzip" }));
    say("Saved as images.shingle-tocs.");
  } catch (error) {
    session.refuse("Saving", faultOf(error));
  }
}
