import { counted, visible } from "../format";
import type { Opener } from "./opener";

/** Asks before the browser calls hosts that somebody else put into the address. */
export function Consent({ opener }: { opener: Opener }) {
  if (opener.asked.length === 0) return null;
  const hosts = opener.hosts();
  return (
    <section class="panel consent no-print" aria-labelledby="consent-title">
      <h2 id="consent-title">Open what the address names?</h2>
      <p>
        It names {counted(opener.asked.length, "image")}. To open {opener.asked.length === 1 ? "it" : "them"}, your browser has
        to ask {hosts.length === 1 ? "this registry" : "these registries"}, and the services that they name for access. They then
        see that you do:
      </p>
      <ul aria-label="Hosts">
        {hosts.map((host) => (
          <li key={host}>
            <code>{visible(host)}</code>
          </li>
        ))}
      </ul>
      <details>
        <summary>The images</summary>
        <ul>
          {opener.asked.map((entry) => (
            <li key={entry}>
              <code>{visible(entry.replace(/^registry:/, ""))}</code>
            </li>
          ))}
        </ul>
      </details>
      <div class="row">
        <button type="button" class="primary" onClick={() => void opener.allow()}>
          Open these images
        </button>
        <button type="button" onClick={() => opener.deny()}>
          Do not open them
        </button>
      </div>
    </section>
  );
}
