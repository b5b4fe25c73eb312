// Programs that tests start: none of them outlives the test runner.
import { spawn } from "node:child_process";

/** Starts a program. `ended` resolves when it did, and `end` sees to it. */
export function start(program, args, stdio) {
  const child = spawn(program, args, { stdio });
  const ended = new Promise((exited) => {
    child.once("exit", exited);
    child.once("error", exited);
  });
  // Where a test ran out of time, nobody ends what it started.
  const last = () => child.kill("SIGKILL");
  process.once("exit", last);
  void ended.then(() => process.off("exit", last));
  const end = (signal) => (child.kill(signal), ended);
  return { child, ended, end };
}
