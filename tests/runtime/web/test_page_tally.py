"""What a person does on the page, in a real browser: tally, counted fields, records, choices of camera and solver."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from page_standins import PICTURE, drawn

from hemonode.errors import HemonodeError
from hemonode.runtime.live.status import TallyStatus
from hemonode.runtime.web.shown import MOST_RESULTS


def tally(microscope) -> TallyStatus:
    return microscope.view.status().tally


def wait_for(page, true):
    """Wait until the server says so, while the browser goes on."""
    for _ in range(400):
        if true():
            return
        page.wait_for_timeout(50)
    pytest.fail("what the page asked for did not happen")


def test_a_newcomer_starts_a_tally_with_one_press(page, microscope):
    assert "Start the tally" in page.inner_text("#next-step") or "Then start" in page.inner_text("#next-step")
    page.click("#do-start")
    page.wait_for_selector("#do-pause")
    page.wait_for_function("() => document.querySelectorAll('.row-number')[1].textContent.replace(',', '') > 30")
    assert re.fullmatch(r"Sample \d\d:\d\d", page.inner_text(".sample-name"))
    assert page.inner_text("#verdict") == "Counting"
    facts = page.locator(".row-facts").nth(1).inner_text()
    assert re.search(r"\d+ % \(\d+–\d+\)", facts)
    assert re.search(r"\d+ \(\d+–\d+\) per field", facts)
    assert re.search(r"Shares of n = [\d,]+ cells", page.inner_text("#counts-note"))
    assert re.search(r"White cells to ±10 %", page.inner_text("#progress"))
    assert tally(microscope).state == "counting"


def test_a_tally_by_keyboard_alone(page, microscope):
    page.keyboard.press("t")
    page.keyboard.type("Smear 7, T & P")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # the next class
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#do-pause")
    assert tally(microscope).name == "Smear 7, T & P"
    assert tally(microscope).goal_class == 2
    page.keyboard.press("p")
    page.wait_for_selector("#do-resume.primary")
    assert page.inner_text("#verdict") == "Paused"
    page.keyboard.press("p")
    page.wait_for_selector("#do-pause")
    page.keyboard.press("e")
    page.wait_for_selector("#ask[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#ask", state="hidden")
    assert tally(microscope).state == "counting"
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    page.wait_for_selector("#done-card:not([hidden])")
    assert tally(microscope).state == "off"
    assert page.inner_text("#done-title") == "Finished: Smear 7, T & P"


def test_a_finished_tally_is_exported_as_a_table(page):
    page.fill("#sample", "To export")
    page.click("#do-start")
    page.wait_for_function("() => /^[1-9]/.test(document.querySelector('.tally-facts').textContent)")
    page.click("#do-finish")
    page.get_by_role("button", name="Finish tally").click()
    with page.expect_download() as download:
        page.locator("#done-card").get_by_role("button", name="CSV").click()
    content = download.value.path().read_text()
    assert re.match(r"1,tallied,\d+,\d+,\d+\n", content)
    assert download.value.suggested_filename.endswith(".csv")


def test_a_tally_that_is_finished_before_the_page_heard_of_its_record_is_exported_all_the_same(page):
    late = []

    def hold_status_back(socket):
        server = socket.connect_to_server()
        server.on_message(lambda message: None if late and isinstance(message, str) else socket.send(message))

    page.route_web_socket("**/*", hold_status_back)
    page.reload()
    page.wait_for_selector("#placeholder", state="hidden")
    late.append(True)
    page.click("#do-start")
    page.click("#do-finish")
    page.get_by_role("button", name="Finish tally").click()
    with page.expect_download():
        page.locator("#done-card").get_by_role("button", name="CSV").click()


def test_a_view_that_is_not_counted_says_why_and_a_lost_place_what_to_do(page, microscope):
    page.click("#do-start")
    page.wait_for_selector("#do-pause")
    microscope.view.alter = lambda status: replace(
        status,
        tally=replace(
            status.tally, state="refused", message="Out of focus: turn the fine focus.", refused={"focus": 12}
        ),
    )
    page.wait_for_selector("#verdict[data-tone=warn]")
    assert page.inner_text("#verdict") == "Not counted. Out of focus: turn the fine focus."
    assert "out of focus 12" in page.inner_text("#progress")
    microscope.view.alter = lambda status: replace(status, tally=replace(status.tally, state="lost", message=None))
    page.wait_for_selector("#do-new_area.primary")
    assert "move back to where you were" in page.inner_text("#next-step")
    microscope.view.alter = lambda status: status
    page.keyboard.press("n")
    page.wait_for_selector("#verdict[data-tone=good]")


def test_enough_cells_are_told_and_finish_comes_next(page, microscope):
    page.select_option("#goal-class", label="white cells")
    page.select_option("#goal-percent", label="±15 %")
    assert page.inner_text("#goal-cells") == "171 cells"
    page.click("#do-start")
    page.wait_for_selector("#do-pause")
    microscope.view.alter = lambda status: replace(status, tally=replace(status.tally, progress=1.0))
    page.wait_for_selector("#do-finish.primary")
    assert "Enough white cells for ±15 %" in page.inner_text("#next-step")
    assert page.get_attribute("[role=progressbar]", "aria-valuenow") == "100"


def test_counting_a_field_stops_the_picture_shows_its_count_and_goes_on(page, microscope):
    page.keyboard.press("c")
    page.wait_for_selector("#field-card:not([hidden])")
    frozen = page.evaluate(PICTURE)
    told = [int(number) for number in page.locator("#field-card dd b").all_inner_texts()]
    header = page.evaluate("() => window.hemonode.painter.header")
    assert told == [count["in_frame"] for count in header["counts"]], "what was seen is what is counted"
    page.wait_for_timeout(400)
    assert page.evaluate(PICTURE) == frozen
    kept = microscope.view.store.fields(microscope.view.status().recorder.session)
    assert list(kept[-1].counts.values()) == told
    page.keyboard.press("c")
    page.wait_for_selector("#field-card", state="hidden")
    page.wait_for_function(f"(frozen) => ({PICTURE})() !== frozen", arg=frozen)


def test_a_picture_that_stood_still_for_long_while_others_watched_is_the_one_that_is_counted(open_page):
    page, other = open_page(), open_page()
    page.keyboard.press(" ")
    drawn(page)
    shown = page.evaluate("() => window.hemonode.painter.header")
    late = shown["number"] + 2 * MOST_RESULTS
    other.wait_for_function("(late) => window.hemonode.painter.header.number > late", arg=late)
    page.keyboard.press("c")
    page.wait_for_selector("#field-card:not([hidden])")
    told = [int(number) for number in page.locator("#field-card dd b").all_inner_texts()]
    assert told == [count["in_frame"] for count in shown["counts"]]


def test_a_picture_that_was_about_to_be_drawn_does_not_take_the_place_of_the_counted_one(page):
    page.evaluate("""() => {
      const draw = window.requestAnimationFrame.bind(window);
      window.held = [];
      window.requestAnimationFrame = (due) => window.held.push(due);
      window.release = () => { window.requestAnimationFrame = draw; window.held.forEach((due) => draw(due)); };
    }""")
    page.wait_for_function("() => window.held.length >= 2", polling=50)
    shown = page.evaluate("() => window.hemonode.painter.header.number")
    page.keyboard.press("c")
    page.wait_for_selector("#field-card:not([hidden])")
    page.evaluate("() => window.release()")
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.hemonode.painter.header.number") == shown


def test_while_no_pictures_come_a_tally_is_never_said_to_count(page, microscope):
    page.click("#do-start")
    page.wait_for_selector("#verdict[data-tone=good]")
    microscope.view.trouble = "The camera is gone."
    page.wait_for_selector("#verdict[data-tone=warn]")
    assert page.inner_text("#verdict") == "Not counted: no new pictures"
    assert "Nothing is counted until pictures come again" in page.inner_text("#next-step")
    microscope.view.trouble = None
    page.wait_for_selector("#verdict[data-tone=good]")
    microscope.view.alter = lambda status: replace(status, source=replace(status.source, state="ended"))
    page.wait_for_selector("#verdict[data-tone=warn]")


def test_a_field_without_warnings_goes_on_by_itself_and_one_with_them_waits(page, microscope, monkeypatch):
    page.clock.install()
    page.click("#do-field")
    page.wait_for_selector("#do-go_on")
    page.clock.run_for(7000)
    page.wait_for_selector("#field-card", state="hidden")
    counted = microscope.view.count_field
    monkeypatch.setattr(
        microscope.view,
        "count_field",
        lambda packet=None, note="": replace(counted(packet, note), warnings=("Out of focus.",)),
    )
    page.click("#do-field")
    page.wait_for_selector("#field-card:not([hidden])")
    assert page.inner_text(".warnings") == "Out of focus."
    assert page.locator("#do-stay").count() == 0
    page.keyboard.press("Escape")
    page.wait_for_selector("#field-card", state="hidden")


def test_a_refusal_is_shown_as_its_sentence_and_the_picture_goes_on(page, microscope, monkeypatch):
    def refuse(packet=None, note=""):
        raise HemonodeError("The disk is full; make room and count again.")

    monkeypatch.setattr(microscope.view, "count_field", refuse)
    page.click("#do-field")
    page.wait_for_selector("#message[data-kind=error]")
    assert page.inner_text("#message-text") == "The disk is full; make room and count again."
    assert page.get_attribute("#toggle-freeze", "aria-pressed") == "false"
    page.keyboard.press("Escape")
    page.wait_for_selector("#message", state="hidden")


def test_a_snapshot_is_kept_and_can_be_opened(page, microscope):
    page.click("#snapshot")
    page.wait_for_selector("#message[data-kind=note]")
    address = page.get_attribute("#message a", "href")
    answer = page.request.get(microscope.url.rstrip("/") + address)
    assert answer.headers["content-type"] == "image/png"


def test_pictures_are_recorded_or_not_and_past_sessions_can_be_read(page, microscope):
    page.click("#do-start")
    page.wait_for_selector("#do-pause")
    wait_for(page, lambda: tally(microscope).fields > 0)
    page.click("#tab-kept")
    page.keyboard.press("r")
    wait_for(page, lambda: not microscope.view.status().recorder.keeps_pictures)
    page.wait_for_selector("[role=switch][aria-checked=false]:has-text('Keep a picture')")
    page.get_by_role("switch", name="Keep a picture").click()
    wait_for(page, lambda: microscope.view.status().recorder.keeps_pictures)
    page.locator("#sessions summary").first.click()
    page.wait_for_function("() => document.querySelector('.thumbnails img')?.naturalWidth === 640")
    with page.expect_download() as download:
        page.locator("#sessions").get_by_role("button", name="Report").first.click()
    assert download.value.suggested_filename.endswith(".html")


def test_an_interrupted_tally_can_be_gone_on_with(open_page, microscope, monkeypatch):
    microscope.view.store.begin("Power cut")
    interrupted = replace(microscope.view.store.sessions()[0], state="interrupted")
    monkeypatch.setattr(microscope.view.store, "sessions", lambda: (interrupted,))
    wishes = []
    monkeypatch.setattr(microscope.view, "tally", wishes.append)
    page = open_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Go on with “Power cut”").wait_for()
    assert page.locator("#counts .row-number").count() == 3
    hidden = page.evaluate("""() => [...document.querySelectorAll("#counts .row-number")].filter((count) => {
      const { left, right, top, bottom } = count.getBoundingClientRect();
      return !count.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
    }).length""")
    assert hidden == 0
    page.get_by_role("button", name="Go on with “Power cut”").click()
    wait_for(page, lambda: wishes and wishes[-1].action == "start" and wishes[-1].proceed)


def test_the_solver_is_fixed_or_left_to_a_target_and_moves_are_told(page, microscope):
    page.click("#reading-solver")
    page.wait_for_selector("#solver-mode option[value='tol1e-4']", state="attached")
    page.select_option("#solver-mode", "tol1e-4")
    wait_for(page, lambda: microscope.view.status().solver.setting == "tol1e-4")
    page.wait_for_selector(".ladder tr.current:has-text('tol1e-4')")
    page.wait_for_function("() => document.querySelector('#reading-solver b').textContent === 'tol1e-4'")
    page.get_by_text("The solver setting is now tol1e-4.").wait_for()
    page.select_option("#solver-mode", "")
    wait_for(page, lambda: microscope.view.status().solver.mode == "automatic")
    page.fill("#target-ms", "21")
    page.keyboard.press("Enter")
    wait_for(page, lambda: microscope.view.status().solver.target_ms == 21.0)
    page.wait_for_selector(".error-row")


def test_another_source_and_bundle_are_chosen(page, microscope):
    page.click("#tab-camera")
    page.select_option("#source", label="A slide")
    page.wait_for_function("() => document.getElementById('source-name').textContent === 'A slide'")
    page.select_option("#source", label="Moving discs")
    page.click("#tab-solver")
    page.select_option("#bundle", label="second_light")
    page.get_by_text("Opening second_light").wait_for()
    page.wait_for_function("() => document.getElementById('bundle').value === 'second-light'")


def test_camera_controls_have_units_and_automatic_modes(page, microscope):
    controls = lambda: {control.name: control for control in microscope.view.controls()}  # noqa: E731
    page.click("#tab-camera")
    page.locator("#control-gain_db").focus()
    page.keyboard.press("End")
    wait_for(page, lambda: controls()["gain_db"].value == 24.0)
    page.get_by_role("switch", name="Exposure: automatic").click()
    wait_for(page, lambda: controls()["exposure_ms"].automatic is False)
    exposure = page.get_by_role("spinbutton", name="Exposure, ms")
    exposure.fill("12.5")
    exposure.press("Enter")
    wait_for(page, lambda: controls()["exposure_ms"].value == 12.5)
    exposure.fill("900")
    exposure.press("Enter")
    page.wait_for_selector("#message[data-kind=error]")
    assert "Exposure goes from 0.1 to 33 ms" in page.inner_text("#message-text")


def test_full_screen_and_big_numbers_are_read_across_the_room(page):
    page.keyboard.press("b")
    page.wait_for_function("() => parseFloat(getComputedStyle(document.querySelector('.row-number')).fontSize) > 60")
    page.keyboard.press("b")
    page.keyboard.press("f")
    page.wait_for_selector("#hud p b")
    page.wait_for_function("() => Number(document.querySelectorAll('#hud b')[1].textContent) > 10")
    share = page.evaluate("() => document.getElementById('stage').getBoundingClientRect().height / innerHeight")
    assert share > 0.8
    page.keyboard.press("Escape")
    page.wait_for_selector("html[data-view=whole]")
