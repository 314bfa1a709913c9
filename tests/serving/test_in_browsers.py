"""Pages of a server in real browsers: what they say, send, and never lose."""

import errno
import json
import os
import re
import time
from pathlib import Path

import pytest

from keras_dc3 import review
from keras_dc3.review import page as pages
from keras_dc3.review.answer_store import AnswerStore
from keras_dc3.serving import Server
from tests.review.driving import download, seen, write
from tests.review.helpers import make_images, make_proposals
from tests.review.test_storage import FULL

REFUSED = json.dumps({"error": "Odd."})
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def start(page, name="anna"):
    page.click(f'[data-annotator="{name}"]')


def wait_for(page, words, selector="#saved"):
    page.wait_for_function(
        "([at, words]) => document.querySelector(at).textContent.includes(words)",
        arg=[selector, words],
    )


def kept(server):
    """Person -> labels that the server has, in the order of the page."""
    with AnswerStore(server.answers) as store:
        files = [json.loads(text) for text in store.files().values()]
    found = {}
    for file in files:
        said = [row["label"] for row in file["annotations"]]
        found.setdefault(file["annotator"], []).append(said)
    return found


def test_no_two_scripts_of_a_page_use_one_name():
    """They are joined into one, where the later would take the place of the other."""
    names = [
        name
        for path in Path(pages.__file__).parent.glob("*.js")
        for name in re.findall(
            r"^(?:async )?(?:function|let|const) (\w+)", path.read_text("utf-8"), re.M
        )
    ]
    assert len(names) > 100 and len(set(names)) == len(names)


def test_two_people_one_of_whom_is_offline_for_a_while(server, sheet, look, tmp_path):
    anna = look(server.addresses["anna"])
    ben = look(server.addresses["ben"], "ben")
    start(anna)
    start(ben, "ben")
    for _ in range(2):
        anna.keyboard.press("1")
        ben.keyboard.press("2")
    for page in (anna, ben):
        wait_for(page, "saved on the server")
        assert not page.is_visible("#alarm")
    ben.context.set_offline(True)
    for _ in range(3):
        anna.keyboard.press("1")
        ben.keyboard.press("3")
    wait_for(ben, "saved in this browser only")
    wait_for(anna, "saved on the server")
    alarm = ben.inner_text("#alarm")
    assert "Not saved on the server: The server cannot be reached." in alarm
    assert "kept in this browser; they are sent again by themselves" in alarm
    assert kept(server) == {"anna": [["cat"] * 5], "ben": [["dog"] * 2]}
    ben.context.set_offline(False)
    wait_for(ben, "saved on the server")
    assert not ben.is_visible("#alarm")
    assert kept(server)["ben"] == [["dog"] * 2 + ["red deer"] * 3]
    assert "connect-src" not in Path(sheet).read_text("utf-8")
    policy = anna.get_attribute("meta[http-equiv]", "content")
    assert policy.endswith("; connect-src 'self'") and "'unsafe" not in policy
    assert anna.evaluate("fetch('http://localhost:1/').catch((e) => e.name)")
    anna.keyboard.press("b")
    for _ in range(6):
        anna.keyboard.press("1")
    assert "Download the file" not in anna.inner_text("main")
    wait_for(anna, "saved on the server")
    file = json.loads(download(anna, "json", tmp_path / "anna.json").read_text("utf-8"))
    wait_for(anna, "saved on the server")
    with AnswerStore(server.answers) as store:
        sent = json.loads(store.files()["review-anna.json"])
    assert sent["annotations"] == file["annotations"] and len(file["annotations"]) == 12
    assert [row["kind"] for row in file["annotations"]][5] == "bad image"
    found = review.read(server.answers)
    assert found.annotations.annotators == ("anna", "ben")


def test_what_else_goes_wrong_is_told(server, look, monkeypatch):
    page = look(server.addresses["ben"], "ben")
    page.evaluate(f"() => {{ {FULL} }}")
    start(page, "ben")
    page.keyboard.press("1")
    wait_for(page, "saved on the server")
    assert not page.is_visible("#alarm")  # the browser keeps nothing, the server does
    page.keyboard.press("Control+z")
    page.keyboard.press("2")
    wait_for(page, "saved on the server")
    assert kept(server) == {"ben": [["dog"]]}

    def full(store, states):
        raise OSError(errno.ENOSPC, "The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(AnswerStore, "put", full)
        page.keyboard.press("1")
        wait_for(page, "Not saved on the server: The disk is full.", "#alarm")
        alarm = page.inner_text("#alarm")
        assert "cannot keep your answers: its storage is full. Leave this" in alarm
        assert page.inner_text("#saved") == "not saved"
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.close(run_before_unload=True)
        page.wait_for_timeout(300)
        assert asked == ["beforeunload"]
    wait_for(page, "saved on the server")
    assert not page.is_visible("#alarm")
    assert kept(server) == {"ben": [["dog", "cat"]]}
    page.route("**/state", lambda route: route.fulfill(status=422, body=REFUSED))
    page.keyboard.press("3")
    wait_for(page, "Not saved on the server: Odd.", "#alarm")
    page.unroute("**/state")
    page.keyboard.press("1")
    wait_for(page, "saved on the server")
    page.keyboard.press("2")  # and closed before the server can have answered
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    until = time.monotonic() + 10
    said = ["dog", "cat", "red deer", "cat", "dog"]
    while kept(server) != {"ben": [said]} and time.monotonic() < until:
        time.sleep(0.02)
    assert kept(server) == {"ben": [said]}
    page = look(server.addresses["ben"], "ben")
    start(page, "ben")
    page.click("#who")
    assert page.inner_text("main h2") == "Welcome"
    start(page, "ben")
    assert seen(page)["count"] == "5 of 12"


def test_another_computer_goes_on_and_nothing_is_lost(server, look):
    first = look(server.addresses["anna"])
    start(first)
    first.keyboard.press("1")
    wait_for(first, "saved on the server")
    second = look(server.addresses["anna"], "another computer")
    start(second)
    assert seen(second)["count"] == "1 of 12"
    second.keyboard.press("2")
    wait_for(second, "saved on the server")
    first.keyboard.press("3")  # has not heard of it
    first.wait_for_selector("text=Go on here")
    assert "on another computer" in first.inner_text("#alarm")
    wait_for(first, "kept beside")
    first.keyboard.press("3")
    assert seen(first)["count"] == "2 of 12"  # not counted, and told
    first.click("text=Go on here")
    first.wait_for_selector("#alarm", state="hidden")
    assert kept(server)["anna"] == [["cat", "dog"], ["cat", "red deer"]]
    first.keyboard.press("n")
    first.keyboard.press("1")
    wait_for(first, "saved on the server")
    second.keyboard.press("1")
    second.wait_for_selector("text=Go on here")
    again = look(server.addresses["anna"], "another computer")  # a tab beside it
    start(again)
    again.keyboard.press("n")
    wait_for(again, "saved on the server")
    lines = kept(server)["anna"]
    assert ["cat", "dog", "cat"] in lines and ["cat", "red deer"] in lines
    found = review.read(server.answers, conflicts="later").annotations
    assert sum(found.annotated) == 4


def test_a_sleeping_tab_without_network_loses_nothing(server, look):
    deaf = "addEventListener('storage', (e) => e.stopImmediatePropagation(), true);"
    first = look(server.addresses["anna"], script=deaf)
    start(first)
    first.keyboard.press("1")
    second = look(server.addresses["anna"])  # in the same browser
    start(second)
    second.keyboard.press("2")
    wait_for(second, "saved on the server")
    second.context.set_offline(True)
    second.keyboard.press("2")
    first.keyboard.press("3")
    wait_for(first, "saved in this browser only")
    assert "What was answered here is kept beside" in first.inner_text("#alarm")
    first.close()
    second.close()
    second.context.set_offline(False)
    page = look(server.addresses["anna"])
    page.wait_for_selector("#main [data-annotator]")
    until = time.monotonic() + 10
    lines = [["cat", "dog", "dog"], ["cat", "red deer"]]
    while sorted(kept(server)["anna"]) != lines and time.monotonic() < until:
        page.wait_for_timeout(20)
    assert sorted(kept(server)["anna"]) == lines
    start(page)
    assert seen(page)["count"] == "3 of 12"


def test_answers_outlive_the_death_of_server_and_page(server, sheet, look):
    page = look(server.addresses["anna"])
    start(page)
    page.keyboard.press("1")
    wait_for(page, "saved on the server")
    port = int(server.addresses["anna"].split(":")[2].split("/")[0])
    server.stop()
    page.keyboard.press("2")
    wait_for(page, "saved in this browser only")
    page.close()  # as if its machine had died
    with Server(sheet, ["anna", "ben"], port=port) as again:
        page = look(again.addresses["anna"])
        page.wait_for_selector("#main [data-annotator]")
        for _ in range(100):
            if kept(again)["anna"] == [["cat", "dog"]]:
                break
            page.wait_for_timeout(50)
        else:
            raise AssertionError(kept(again))
        start(page)
        assert seen(page)["count"] == "2 of 12"
        page.keyboard.press("3")
        wait_for(page, "saved on the server")
        assert kept(again)["anna"] == [["cat", "dog", "red deer"]]


def test_pictures_beside_the_page_and_pages_of_earlier_releases(tmp_path, look):
    pytest.importorskip("aiohttp")
    images = make_images(12, side=300)
    path, made = write(
        tmp_path, make_proposals(12), images=images, full_size="beside", control=0
    )
    old = Path(write(tmp_path, name="old.html", round_name="old")[0])
    text = old.read_text("utf-8")
    content = pages.content_of(text)
    for name in ("large", "likely", "near", "typical", "examples", "descriptions"):
        del content[name]
    del content["order"]
    data = f'id="data">{pages.as_inert_json(content)}</script>'
    text = re.sub(r'id="data">.*?</script>', lambda _: data, text)
    old.write_text(text, "utf-8")
    with Server([path, old], ["anna"], port=0) as server:
        (address,) = server.addresses.values()
        page = look(address)
        assert page.inner_text("h1") == "Pages of anna"
        assert page.locator("a >> nth=0").bounding_box()["height"] >= 40  # for a finger
        page.click("text=review")
        start(page)
        page.keyboard.press("z")
        page.wait_for_function(
            "() => document.getElementById('lensimage').naturalWidth === 300"
        )
        policy = page.get_attribute("meta[http-equiv]", "content")
        assert "img-src data: 'self'; " in policy
        folder = f"{address}{made['page']}/review-images"
        name = next(iter(made["large"].values())).split("/")[1]
        for wanted, status in {
            name: 200,
            "x.png": 404,
            "..%2freview.html": 404,
        }.items():
            assert page.request.get(f"{folder}/{wanted}").status == status
        page.goto(address)
        page.click("text=old")
        start(page)
        for key in "zzggo":
            page.keyboard.press(key)
        page.keyboard.press("Escape")
        wait_for(page, "saved on the server")
    os.remove(tmp_path / "review-images" / name)
    with pytest.raises(FileNotFoundError, match="beside the page is missing"):
        Server(path, ["anna"])
    path = Path(path)
    path.write_text(path.read_text("utf-8").replace("review-images/", "../x/"), "utf-8")
    with pytest.raises(ValueError, match="no picture that lies beside it"):
        Server(path, ["anna"])
