// The page against the registry that most people run.
import { DEMO } from "./help/images.mjs";
import { expect, follow, goTo, opened, test } from "./help/page.mjs";
import { shingle } from "./help/shingle.mjs";
import { missing, serveDockerRegistry } from "./servers/docker-registry.mjs";

test("images that shingle pushed open in the page", async ({ page, site, watch }) => {
  test.skip(missing() !== undefined, missing());
  const registry = await serveDockerRegistry();
  try {
    for (const tag of ["v1", "v2"]) {
      await shingle("copy", "--dest-tls-verify=false", `oci:${DEMO}:${tag}`, `docker://${registry.host}/demo:${tag}`);
    }
    watch.hosts.add(registry.host);
    const refs = ["v1", "v2"].map((tag) => ["ref", `registry:${registry.host}/demo:${tag}`]);
    await follow(page, `${site.url}#${new URLSearchParams(refs)}`);
    await opened(page, 2);
    await goTo(page, "Overlap");
    await expect(page.getByRole("table").first()).toBeVisible();
  } finally {
    await registry.close();
  }
});
