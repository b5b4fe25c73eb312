"""What the benches share: running a command and weighing it, loop file systems, the registry's counters."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
CACHE = Path("/var/cache/shingle-tests")


def script(name, *args, **kwargs):
    """Runs one of tests/scripts and returns what it printed."""
    done = subprocess.run([SCRIPTS / name, *map(str, args)], stdout=subprocess.PIPE, text=True, **kwargs)
    if done.returncode:
        raise SystemExit(f"{name} {' '.join(map(str, args))} failed")
    return done.stdout.strip()


class Registry:
    """The registry over `directory`, started unless it runs already; `stop` leaves one that we did not start."""

    def __init__(self, directory, port):
        self.directory = directory
        running = subprocess.run([SCRIPTS / "registry", "running", directory]).returncode == 0
        script("registry", "start", directory, port)
        self.ours = not running

    def stop(self):
        if self.ours:
            script("registry", "stop", self.directory)

    def mark(self):
        return int(script("registry", "mark", self.directory))

    def since(self, mark):
        return json.loads(script("registry", "bytes", self.directory, mark))

    def warm(self):
        """Reads every blob once, so that no pull pays for the registry's disk."""
        for path in self.directory.glob("storage/docker/registry/v2/blobs/*/*/*/data"):
            with path.open("rb") as blob:
                while blob.read(1 << 22):
                    pass

    def digest(self, repository, tag):
        """The digest behind a tag, or None: asked from the files, so that it leaves no trace in the log."""
        link = f"storage/docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link"
        try:
            return (self.directory / link).read_text().strip()
        except FileNotFoundError:
            return None


class LoopFs:
    """A new file system in a file, mounted until `drop`."""

    def __init__(self, kind, name, tmpfs):
        base = Path("/dev/shm/shingle-bench") if tmpfs else CACHE / "bench"
        self.kind, self.path = kind, base / name
        script("loopfs", "drop", self.path)  # what an earlier run that was killed left mounted
        script("loopfs", "make", kind, base / f"{name}.img", self.path)
        self.empty = self.used()

    def drop(self):
        script("loopfs", "drop", self.path)
        if not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()

    def used(self):
        stat = os.statvfs(self.path)
        return (stat.f_blocks - stat.f_bfree) * stat.f_frsize

    def sync(self):
        """Writes everything back and returns the seconds it took."""
        start = time.monotonic()
        subprocess.run(["sync", "-f", self.path], check=True)
        return time.monotonic() - start


def weigh(command, env=None):
    """Runs `command`: its output, and what it and every process it waited for cost.

    The times are wait4's, in microseconds, where GNU time rounds to 10 ms. The peak is GNU time's all the same: a
    process starts with the peak of the one it was forked from, and Python alone would weigh more than some pulls.
    It is the peak of the largest single process, not a sum.
    """
    with tempfile.NamedTemporaryFile("r") as peak, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        child = subprocess.Popen(
            ["/usr/bin/time", "-o", peak.name, "-f", "%M", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, start_new_session=True,
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)  # GNU time does not pass a signal on, hence the group
            child.wait()
            raise
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # else Popen would wait for it again
        for stream in (out, err):
            stream.seek(0)
        return {
            "status": child.returncode,
            "stdout": out.read().decode(errors="replace"),
            "stderr": err.read().decode(errors="replace"),
            "wall": wall,
            "user": usage.ru_utime,
            "sys": usage.ru_stime,
            "peak_rss": int(peak.read().split()[-1]) * 1024,
        }


class Trixie:
    """A namespace of the trixie root that stays while the bench lasts, with `graph` as podman's storage.

    Commands enter it by nsenter, which replaces itself by them: setting the root up is not part of what is weighed.
    """

    ENV = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
        "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
    }

    def __init__(self, graph):
        work = CACHE / "work"
        work.mkdir(parents=True, exist_ok=True)
        # The kernel ends the holder with us, however we end.
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", SCRIPTS / "trixie-podman", "run", "--",
             "sh", "-c", "echo ready; exec sleep infinity"],
            env={**os.environ, "GRAPH": str(graph), "WORK": str(work)}, stdout=subprocess.PIPE, text=True,
        )
        if self.holder.stdout.readline().strip() != "ready":
            raise SystemExit("the trixie root cannot be entered; see `trixie-podman run -- true`")

    def command(self, *command):
        return ["nsenter", "--target", self.holder.pid, "--mount", "--root", "--wd", "--", *command]

    def output(self, *command):
        return subprocess.run(
            list(map(str, self.command(*command))), env=self.ENV, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def close(self):
        self.holder.kill()
        self.holder.wait()


def layout(directory, tar, media_type, compress):
    """An OCI layout with one image of one layer."""
    done = directory / ".complete"
    if done.exists():
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    plain = tar.read_bytes()
    layer = {"mediaType": media_type, **put(compress(plain))}
    config = {
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
    }
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", **put(json.dumps(config).encode())}
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}
    entry = {"mediaType": kind, **put(json.dumps(manifest).encode())}
    entry["annotations"] = {"org.opencontainers.image.ref.name": "x"}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    done.touch()
    return directory
