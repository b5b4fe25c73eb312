import "./openings.css";

import { bytes, count, visible } from "../format";
import type { Fault, Progress } from "../protocol";
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
      {progress && <span class="hint">{words(progress)}</span>}
      <button type="button" onClick={end} aria-describedby={name}>
        Cancel
      </button>
    </div>
  );
}

function Failed({ opening: { id, what, end }, fault: { message, causes, hint } }: { opening: Opening; fault: Fault }) {
  const name = `opening-${id}`;
  const text = visible(message);
  return (
    <div class="fault" role="alert">
      <p id={name}>
        {text.startsWith(what) ? (
          <strong>{text}</strong>
        ) : (
          <>
            <strong>{what}:</strong> {text}
          </>
        )}
      </p>
      {causes.length > 0 && (
        <ul class="causes" aria-label="Causes">
          {causes.map((cause, index) => (
            <li key={index}>{visible(cause)}</li>
          ))}
        </ul>
      )}
      {hint && <p>{visible(hint)}</p>}
      <button type="button" onClick={end} aria-describedby={name}>
        Dismiss
      </button>
    </div>
  );
}

function words({ what, done, total, unit }: Progress): string {
  const figure = unit === "bytes" ? bytes : count;
  const far = total > 0 ? `${figure(done)} of ${figure(total)}` : figure(done);
  return `${visible(what)}: ${far}${unit === "bytes" ? "" : ` ${unit}`}`;
}
