"""OpenEnv's own client plays over a socket; run by `make test-slow`."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import uvicorn
from openenv.core import GenericEnvClient
from websockets.sync.client import connect

from lightbulb_envs.adapters.openenv_server import create_server, main
from lightbulb_envs.adapters.text import make_text_env

ROOT = Path(__file__).parents[3]
PICK, READ = "Lightbulb/NewsSummariser-v0", "Lightbulb/SentimentAnalysis-v0"
LEGAL = re.compile(r"Legal answers: (?:\d+-)?(\d+)")


def _scripted(prompt: str) -> str:
    """Answers as a model would that takes the first of the highest legal numbers."""
    return f"I think it is this one.\n{LEGAL.findall(prompt)[-1]}"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            httpx.get(f"{url}/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing answers at {url}")


@pytest.fixture(scope="module")
def serve():
    """Serves ids on ports of this machine, from threads of this process."""
    running = []

    def start(env_id, **settings):
        port = _free_port()
        config = uvicorn.Config(
            create_server(env_id, **settings), port=port, log_level="error", ws="websockets-sansio"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        return url

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def url(serve):
    return serve(PICK, level=1)


def _play(url, **which):
    """Returns what a scripted model's episode tells, step by step."""
    with GenericEnvClient(base_url=url).sync() as client:
        result = client.reset(**which)
        told = [(result.observation["prompt"], result.reward, result.done)]
        while not result.done:
            result = client.step({"text": _scripted(result.observation["prompt"])})
            told.append((result.observation["prompt"], result.reward, result.done))
        state = client.state()
    assert state["episode_return"] == pytest.approx(sum(paid for _, paid, _ in told[1:]))
    assert (state["has_ended"], state["step_count"]) == (True, len(told) - 1)
    return told


def _play_here(**which):
    """Returns the same without a server."""
    env = make_text_env(PICK, level=1)
    options = {"instance": which["instance"]} if "instance" in which else None
    prompt, _ = env.reset(seed=which.get("seed"), options=options)
    told, done = [(prompt, None, False)], False
    while not done:
        prompt, reward, terminated, truncated, _ = env.step(_scripted(prompt))
        done = terminated or truncated
        told.append((prompt, reward, done))
    return told


@pytest.mark.parametrize("which", [{"seed": 0}, {"seed": 1 << 40}, {"instance": 7}])
def test_a_client_plays_the_episode_that_it_asks_for(url, which):
    assert _play(url, **which) == _play_here(**which)


def test_sessions_at_once_do_not_meet(url):
    seeds = list(range(6))
    with ThreadPoolExecutor(len(seeds)) as pool:
        played = list(pool.map(lambda seed: _play(url, seed=seed), seeds))
    assert played == [_play_here(seed=seed) for seed in seeds]
    with GenericEnvClient(base_url=url).sync() as one, GenericEnvClient(base_url=url).sync() as two:
        first = one.reset(instance=2).observation
        assert two.reset(instance=2).observation == first
        one.step({"text": "0"})
        assert (one.state()["step_count"], two.state()["step_count"]) == (1, 0)
        assert two.step({"text": "1"}).observation["messages"][-2]["content"] == "1"


def test_more_sessions_than_are_allowed_are_refused(serve):
    url = serve(READ, sessions=1)
    with GenericEnvClient(base_url=url).sync() as one:
        one.reset(seed=0)
        with connect(url.replace("http", "ws") + "/ws") as two:
            assert json.loads(two.recv(timeout=20))["data"]["code"] == "CAPACITY_REACHED"


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        ("no episode has begun: call reset first", lambda client: client.step({"text": "0"})),
        ("takes seed, episode_id and instance", lambda client: client.reset(instances=1)),
        ("an instance must be in", lambda client: client.reset(instance=-1)),
        ('an action is {"text": "3"}', lambda client: client.step({"text": 3})),
        ('an action is {"text": "3"}', lambda client: client.step({"number": 3})),
    ],
)
def test_a_client_is_told_what_is_wrong_and_may_go_on(url, message, wrong):
    with GenericEnvClient(base_url=url).sync() as client:
        with pytest.raises(RuntimeError, match=re.escape(message)):
            wrong(client)
        client.reset(instance=0)
        assert client.step({"text": "stop"}).done
        with pytest.raises(RuntimeError, match="the episode has ended: call reset first"):
            client.step({"text": "0"})


def test_http_says_what_is_wrong_too(url):
    assert httpx.post(f"{url}/reset", json={"instance": 7}).json()["observation"]["instance"] == 7
    for path, body, status, message in (
        ("reset", {"instances": 7}, 422, "takes seed, episode_id and instance"),
        ("reset", {"instance": "x"}, 422, "must be an integer"),
        ("step", {"action": {"text": 3}}, 422, "an action is"),
        ("step", {"action": {"text": "3"}}, 409, "played over the WebSocket /ws"),
    ):
        answer = httpx.post(f"{url}/{path}", json=body)
        assert answer.status_code == status
        assert message in answer.json()["detail"]
    assert httpx.get(f"{url}/metadata").json()["name"] == PICK
    action = httpx.get(f"{url}/schema").json()["action"]
    assert action["properties"]["text"]["type"] == "string"


def test_the_command_serves():
    port = _free_port()
    command = [sys.executable, "-m", "lightbulb_envs.adapters.openenv_server", "--env", PICK]
    flags = ["--port", str(port), "--settings", "level=1", "split=test"]
    with subprocess.Popen([*command, *flags], stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}")
            with GenericEnvClient(base_url=f"http://127.0.0.1:{port}").sync() as client:
                served = client.reset(instance=1).observation["prompt"]
                assert client.state()["settings"] == {"level": 1, "split": "test"}
        finally:
            server.terminate()
    env = make_text_env(PICK, level=1, split="test")
    assert served == env.reset(options={"instance": 1})[0]


def test_the_example_of_the_page_plays(url):
    page = (ROOT / "docs/language_models.md").read_text(encoding="utf-8")
    _, code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert code.count("http://127.0.0.1:8000") == 1
    names: dict = {"model": lambda messages: _scripted(messages[-1]["content"])}
    exec(code.replace("http://127.0.0.1:8000", url), names)
    rewards = [reward for _, reward, _ in _play_here(instance=7)[1:]]
    assert names["episode_return"] == sum(rewards) > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--env", "Lightbulb/Summariser-v0"], "there are Lightbulb/NewsSummariser-Easy-v0"),
        (["--env", "CartPole-v1"], "is not one of Lightbulb's environments"),
        (["--env", "nowhere:Example/Env-v0"], "No module named 'nowhere'"),
        (["--env", PICK, "--settings", "levle=1"], "unknown keyword 'levle'"),
        (["--env", PICK, "--settings", "level"], "--settings takes NAME=VALUE"),
        (["--env", PICK, "--sessions", "0"], "sessions must be 1 or more, got 0"),
        ([], "the following arguments are required: --env"),
    ],
)
def test_the_command_refuses_what_it_cannot_serve(flags, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["openenv_server", *flags])
    monkeypatch.setattr(uvicorn, "run", None)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_without_openenv_the_command_says_what_to_install():
    code = (
        "import sys, runpy; sys.modules['openenv'] = None; sys.argv[1:] = ['--env', 'X'];"
        "runpy.run_module('lightbulb_envs.adapters.openenv_server', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "openenv_server: serving environments needs openenv-core: "
        "pip install 'lightbulb[openenv]'\n"
    )
