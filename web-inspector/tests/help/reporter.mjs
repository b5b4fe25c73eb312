// Closes the run with the lines that tests/run counts, in the form of node's test runner.

export default class Closing {
  #counts = { passed: 0, failed: 0, skipped: 0 };

  onTestEnd(test, result) {
    if (result.status === "skipped") {
      this.#counts.skipped += 1;
      const reasons = test.annotations.map(({ description }) => description).filter(Boolean);
      console.log(`# skipped: ${test.titlePath().slice(3).join(" > ")}: ${reasons.join("; ") || "no reason given"}`);
    } else if (result.status === test.expectedStatus) this.#counts.passed += 1;
    else this.#counts.failed += 1;
  }

  onEnd() {
    const { passed, failed, skipped } = this.#counts;
    console.log(`# pass ${passed}\n# fail ${failed}\n# skipped ${skipped}`);
  }
}
