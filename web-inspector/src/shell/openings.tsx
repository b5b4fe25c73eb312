import "./openings.css";

import { FaultNote, progressWords } from "../parts/asked";
import type { Fault } from "../protocol";
import type { Opening, Session } from "./session";

/** What is being opened, and what did not open. */
export function Openings({ session }: { session: Session }) {
  if (session.openings.length === 0) return null;
  return (
    <ul class="openings no-print" aria-label="Being opened">
      {session.openings.map((opening) => (
        <li key={opening.id}>{opening.fault ? <Failed opening={opening} fault={opening.fault} /> : <Running opening={opening} />}</li>
      ))}
    </ul>
  );
}

function Running({ opening: { id, what, progress, end } }: { opening: Opening }) {
  const label = `Opening ${what}`;
  const name = `opening-${id}`;
  return (
    <div class="running">
      <strong id={name}>{label}</strong>
      {progress && progress.total > 0 ? (
        <progress aria-label={label} max={progress.total} value={progress.done} />
      ) : (
        <progress aria-label={label} />
      )}
      {progress && <span class="hint">{progressWords(progress)}</span>}
      <button type="button" onClick={end} aria-describedby={name}>
        Cancel
      </button>
    </div>
  );
}

function Failed({ opening: { id, what, end }, fault }: { opening: Opening; fault: Fault }) {
  const name = `opening-${id}`;
  return (
    <FaultNote fault={fault} what={what} id={name}>
      <button type="button" onClick={end} aria-describedby={name}>
        Dismiss
      </button>
    </FaultNote>
  );
}
