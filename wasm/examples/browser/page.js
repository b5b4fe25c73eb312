// Takes what the forms say, lets the worker plan, and shows the answer. All work is in the worker: the page stays alive.
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const state = document.getElementById("state");
const plan = document.getElementById("plan");
let last = 0;

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const layout = { layout: data.get("layout"), files: data.getAll("files") };
    const given = data.get("given");
    ask({ image: { ...layout, tag: data.get("tag") }, given: given ? [{ ...layout, tag: given }] : [], full: false });
  });
}

/** Asks the worker; an answer to an earlier question is dropped. */
export function ask(question) {
  last += 1;
  state.textContent = "Planning…";
  plan.textContent = "";
  worker.postMessage({ id: last, ...question });
}

worker.addEventListener("message", ({ data: { id, answer, error } }) => {
  if (id !== last) return;
  state.textContent = error ?? "Planned.";
  plan.textContent = answer ?? "";
});

worker.addEventListener("error", () => {
  state.textContent = "The worker could not be started.";
});
