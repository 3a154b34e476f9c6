"""The emulator's page, in a headless browser."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = pytest.mark.breadth

NASTY = '<img src=x onerror="document.title = 1"><b>name'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "there is no Chromium: make browser"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, cloud: Any) -> Iterator[Page]:
    """The page, which must neither leave its origin nor have an error."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    asked: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(cloud.emulator.http)
    yield page
    context.close()
    assert errors == []
    assert all(url.startswith((cloud.emulator.http, "data:")) for url in asked)


def row(page: Page, name: str) -> Any:
    return page.locator("#runs tr").filter(has=page.get_by_role("button", name=name, exact=True))


def log_of(page: Page, name: str) -> Any:
    page.get_by_role("button", name=name, exact=True).click()
    return page.locator("#log")


def test_it_says_how_to_connect(page: Page, cloud: Any) -> None:
    facts = page.locator("#facts")
    expect(facts).to_contain_text(cloud.emulator.http)
    expect(facts).to_contain_text(str(cloud.emulator.config))


def test_an_empty_emulator_says_what_to_do(browser: Browser, own: Callable[..., Any]) -> None:
    page = browser.new_page()
    page.goto(own().emulator.http)
    expect(page.locator("#no-runs")).to_be_visible()
    page.close()


def test_a_run_is_followed_to_its_end_without_a_reload(
    page: Page, cloud: Any, log_group: str
) -> None:
    script = b"""
import pathlib, time
print("first line", flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.05)
print("second line")
"""
    job = cloud.job(
        script, display_name="followed", job_log_configuration_details=cloud.auto_log(log_group)
    )
    run = cloud.start(job.id, display_name="followed-run")
    expect(row(page, "followed-run")).to_contain_text("IN_PROGRESS", timeout=15_000)
    expect(row(page, "followed-run")).to_contain_text("followed")
    log = log_of(page, "followed-run")
    expect(log).to_have_text("first line\n")
    expect(page.locator("#charts svg").first).to_be_visible(timeout=15_000)
    (Path(cloud.emulator.run(run.id)["directory"]) / "home" / "go").touch()
    expect(row(page, "followed-run")).to_contain_text("SUCCEEDED", timeout=15_000)
    expect(log).to_have_text("first line\nsecond line\n")
    expect(page.locator("#run-facts")).to_contain_text("execution succeeded")


def test_a_failed_run_says_why(page: Page, cloud: Any) -> None:
    run = cloud.start(cloud.job(b"raise SystemExit(7)").id, display_name="failing")
    cloud.ended(run.id)
    expect(row(page, "failing")).to_contain_text("FAILED")
    page.get_by_role("button", name="failing", exact=True).click()
    expect(page.locator("#run-facts")).to_contain_text("failed with exit code 7")
    expect(page.locator("#no-log")).to_be_visible()


def test_a_name_is_text_and_no_markup(page: Page, cloud: Any) -> None:
    cloud.start(cloud.job(display_name=NASTY).id, display_name=NASTY)
    expect(row(page, NASTY)).to_be_visible()
    page.get_by_role("button", name=NASTY, exact=True).click()
    expect(page.locator("#detail-title")).to_have_text(NASTY)
    expect(page.locator("img")).to_have_count(0)
    expect(page).to_have_title("oci-emulator")


def test_runs_are_chosen_by_state(page: Page, cloud: Any) -> None:
    job = cloud.job().id
    for name, outcome in (("chosen", "CANCELED"), ("not-chosen", "SUCCEEDED")):
        plan = json.dumps({"outcome": outcome})
        run = cloud.start(job, display_name=name, freeform_tags={"emulator.plan": plan})
        cloud.ended(run.id)
    expect(row(page, "not-chosen")).to_be_visible()
    page.get_by_role("combobox", name="State").select_option("CANCELED")
    expect(row(page, "chosen")).to_be_visible()
    expect(row(page, "not-chosen")).to_have_count(0)
    expect(page.locator("#counts")).to_contain_text("CANCELED")


def test_a_run_is_chosen_by_keyboard_and_kept_in_the_address(page: Page, cloud: Any) -> None:
    run = cloud.start(cloud.job().id, display_name="by-keyboard")
    cloud.ended(run.id)
    page.get_by_role("button", name="by-keyboard", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_have_text("by-keyboard")
    expect(row(page, "by-keyboard")).to_have_attribute("aria-current", "true")
    page.reload()
    expect(page.locator("#detail-title")).to_have_text("by-keyboard")


def test_a_lost_emulator_is_told_and_found_again(browser: Browser, own: Callable[..., Any]) -> None:
    cloud = own()
    page = browser.new_page()
    page.goto(cloud.emulator.http)
    expect(page.locator("#facts")).to_contain_text("process")
    cloud.emulator.stop()
    expect(page.get_by_role("status")).to_have_text("The emulator does not answer.", timeout=15_000)
    cloud.emulator.start()
    expect(page.get_by_role("status")).to_have_text("", timeout=15_000)
    page.close()


def test_the_page_is_for_this_machine_alone(cloud: Any) -> None:
    answer = requests.get(cloud.emulator.http, timeout=10)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert requests.post(cloud.emulator.http, timeout=10).status_code == 404
    # Another name that leads here, as a page of a stranger might have it.
    strange = {"host": "evil.example"}
    overview = f"{cloud.emulator.http}/_emulator/overview"
    assert requests.get(overview, headers=strange, timeout=10).status_code == 403
    assert requests.get(overview, headers={"origin": "null"}, timeout=10).status_code == 403
