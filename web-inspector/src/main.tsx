import { render } from "preact";

import { App } from "./app";
import { connect } from "./client";
import { Address } from "./shell/address";
import { Opener } from "./shell/opener";
import { listen } from "./shell/say";
import { Session } from "./shell/session";
import { restoreTheme } from "./shell/theme";

restoreTheme();
// First of all, because it has the core to load; the page does not wait for it.
const worker = new Worker(new URL("./worker/main.ts", import.meta.url), { type: "module" });
const session: Session = new Session(connect(worker, (message) => session.lost(message)));
const address = new Address();
const opener = new Opener(session, address);
const place = document.getElementById("app");
if (place) {
  place.textContent = "";
  render(<App session={session} address={address} opener={opener} />, place);
}
listen();
void opener.start();
