"""The live page in a real browser: masks that move, how they are shown, keys, touch, and what is said in trouble."""

from __future__ import annotations

from dataclasses import replace

import pytest
from page_standins import AT_CELLS, COVERED, DESKTOP, PICTURE, drawn

HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"


def changes(page, script, before):
    """Wait until what a script gives differs from before."""
    page.wait_for_function(f"(before) => ({script})() !== before", arg=before)


def test_masks_move_and_lie_on_the_cells(page):
    before = page.evaluate(PICTURE)
    changes(page, PICTURE, before)
    colours = {1: (0, 114, 178), 2: (213, 94, 0), 3: (0, 158, 115)}
    for _ in range(3):
        found = page.evaluate(AT_CELLS)
        assert len(found) > 20
        # A cell may lie under one of another class: most show their own colour, none shows nothing.
        own = [
            sum(abs(a - b) for a, b in zip(pixel, colours[class_id], strict=False)) < 40 for class_id, pixel in found
        ]
        assert sum(own) / len(own) > 0.8
        assert all(pixel[3] > 0 for _, pixel in found)
        page.wait_for_timeout(150)
    assert 0.05 < page.evaluate(COVERED) < 0.6


def test_live_counts_are_beside_the_picture_and_marked_as_live(page):
    page.wait_for_function("() => document.querySelectorAll('.row').length === 3")
    assert [name.split("\n")[0] for name in page.locator(".row-name").all_inner_texts()] == [
        "White cells",
        "Red cells",
        "Platelets",
    ]
    page.wait_for_function("() => Number(document.querySelectorAll('.row-number')[1].textContent) > 10")
    assert page.get_by_text("live", exact=True).is_visible()
    assert page.get_by_text("not a diagnostic device").is_visible()
    assert page.inner_text("#source-name") == "Moving discs"


def test_masks_go_and_come_back_whole_or_by_class(page):
    page.keyboard.press("m")
    page.wait_for_function(f"() => ({COVERED})() === 0")
    assert page.get_attribute("#toggle-masks", "aria-pressed") == "false"
    page.click("#toggle-masks")
    page.wait_for_function(f"() => ({COVERED})() > 0.05")
    for key in "123":
        page.keyboard.press(key)
    page.wait_for_function(f"() => ({COVERED})() === 0")
    assert page.get_by_text("mask hidden").count() == 3
    page.locator(".row").nth(0).click()
    page.wait_for_function(f"() => ({COVERED})() > 0")
    assert {class_id for class_id, pixel in page.evaluate(AT_CELLS) if class_id == 1 and pixel[3] > 0} == {1}


def test_opacity_and_outlines_only(page):
    whole = page.evaluate(COVERED)
    page.keyboard.press("o")
    page.wait_for_function(f"(whole) => ({COVERED})() < whole / 2", arg=whole)
    page.keyboard.press("o")
    page.click("#tab-view")
    page.locator("#opacity").focus()
    page.keyboard.press("End")
    page.wait_for_function(f"() => ({AT_CELLS})().every(([, pixel]) => pixel[3] > 240)")
    page.keyboard.press("Home")
    page.wait_for_function(f"(whole) => ({COVERED})() < whole / 2", arg=whole)
    page.reload()
    page.wait_for_selector("#placeholder", state="hidden")
    page.click("#tab-view")
    assert page.input_value("#opacity") == "0", "the choice is remembered"


def test_freeze_holds_the_picture_and_lets_it_run_again(page):
    page.keyboard.press(" ")
    assert page.inner_text("#pill") == "Frozen"
    drawn(page)
    frozen = page.evaluate(PICTURE)
    page.wait_for_timeout(500)
    assert page.evaluate(PICTURE) == frozen
    page.keyboard.press(" ")
    changes(page, PICTURE, frozen)


def test_zoom_by_wheel_keys_and_buttons_keeps_masks_on_their_cells(page):
    page.keyboard.press(" ")
    page.mouse.move(400, 350)
    page.mouse.wheel(0, -600)
    page.wait_for_function("() => parseFloat(document.getElementById('zoom-factor').textContent) > 2")
    box = "() => { const b = document.getElementById('picture').getBoundingClientRect(); return [b.x, b.y, b.width]; }"
    left, top, width = page.evaluate(box)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(left) => ({box})()[0] < left - 20", arg=left)
    page.mouse.move(400, 350)
    page.mouse.down()
    page.mouse.move(460, 380)
    page.mouse.up()
    page.wait_for_function(f"(top) => ({box})()[1] > top + 20", arg=top)
    # The picture and the masks over it are two layers: a cell's own pixel is still tinted.
    tinted = page.evaluate("""() => {
      const overlay = document.getElementById("overlay");
      const shown = document.getElementById("picture").getBoundingClientRect();
      const at = overlay.getBoundingClientRect();
      const dots = overlay.width / at.width;
      const { width, cells } = window.hemonode.painter.header;
      const pen = overlay.getContext("2d");
      const scale = shown.width / width;
      return cells.map(([, x, y]) => [(shown.x - at.x + x * scale) * dots, (shown.y - at.y + y * scale) * dots])
        .filter(([x, y]) => x > 0 && y > 0 && x < overlay.width && y < overlay.height)
        .map(([x, y]) => pen.getImageData(x, y, 1, 1).data[3] > 0);
    }""")
    assert len(tinted) >= 2
    assert all(tinted)
    page.click("#zoom-fit")
    page.wait_for_function("() => document.getElementById('zoom-factor').textContent === '1×'")
    page.wait_for_function(f"(width) => ({box})()[2] < width", arg=width)


BAR_UM_PER_PX = """() => {
  const [rule, label] = document.getElementById("scale-bar").children;
  return parseFloat(label.textContent) / rule.getBoundingClientRect().width;
}"""
# What the header says, of the picture as it lies on the page.
SHOWN_UM_PER_PX = """() => {
  const { um_per_px, width } = window.hemonode.painter.header;
  return um_per_px * width / document.getElementById("picture").getBoundingClientRect().width;
}"""


def test_a_scale_bar_of_a_round_length_follows_the_zoom_and_can_be_switched_off(page):
    page.keyboard.press(" ")
    page.mouse.move(400, 350)
    for zoom, factor in ((0, "1×"), (-600, "2.5×"), (-1800, "16×")):
        page.mouse.wheel(0, zoom)
        page.wait_for_function("(factor) => document.getElementById('zoom-factor').textContent === factor", arg=factor)
        drawn(page)
        assert page.evaluate(BAR_UM_PER_PX) == pytest.approx(page.evaluate(SHOWN_UM_PER_PX), rel=0.01)
        assert page.inner_text("#scale-bar") in {f"{times * ten:g} µm" for times in (1, 2, 5) for ten in (0.1, 1, 10)}
        assert 60 < page.locator("#scale-bar i").bounding_box()["width"] <= 160
    page.click("#tab-view")
    page.get_by_role("switch", name="Scale bar").click()
    page.wait_for_selector("#scale-bar", state="hidden")
    page.reload()
    page.wait_for_selector("#placeholder", state="hidden")
    assert not page.is_visible("#scale-bar"), "the choice is remembered"


def test_theme_follows_the_system_and_remembers_another_choice(open_page):
    page = open_page(color_scheme="light")
    assert page.evaluate("() => document.documentElement.dataset.theme") == "light"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    page.click("#toggle-theme")
    page.reload()
    page.wait_for_selector("#placeholder", state="hidden")
    assert page.evaluate("() => document.documentElement.dataset.theme") == "light"


def test_every_text_colour_is_readable_on_every_ground_it_stands_on(page):
    contrast = """() => {
      const style = getComputedStyle(document.documentElement);
      const light = (name) => {
        const hex = style.getPropertyValue(name).trim();
        const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (a, b) => {
        const [most, least] = [light(a), light(b)].sort((p, q) => q - p);
        return (most + 0.05) / (least + 0.05);
      };
      const pairs = [["--on-primary", "--primary"], ["--accent", "--accent-ground"]];
      for (const ground of ["--warn-ground", "--bad-ground"]) pairs.push(["--ink", ground]);
      for (const text of ["--ink", "--quiet", "--accent", "--good", "--warn", "--bad"])
        for (const ground of ["--ground", "--surface", "--raised"]) pairs.push([text, ground]);
      return pairs.map(([a, b]) => [a, b, ratio(a, b)]).filter(([, , it]) => it < 4.5);
    }"""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"html[data-theme={scheme}]")
        assert page.evaluate(contrast) == []


def test_keys_are_listed_and_can_be_switched_off(page):
    page.keyboard.press("?")
    assert page.get_by_role("dialog").get_by_text("count this field; again: go on").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("#help", state="hidden")
    page.click("#tab-view")
    page.get_by_role("switch", name="Single keys act").click()
    page.keyboard.press("m")
    assert page.get_attribute("#toggle-masks", "aria-pressed") == "true"


def test_everything_is_reached_by_tab_and_nothing_traps(page):
    reached = []
    for _ in range(45):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.className"))
    for wanted in (
        "toggle-masks",
        "toggle-freeze",
        "snapshot",
        "view",
        "zoom-in",
        "reading-focus",
        "tab-count",
        "row",
        "sample",
        "do-start",
        "do-field",
    ):
        assert wanted in reached, wanted
    assert reached.count("toggle-masks") >= 1
    assert "" in reached or reached.count("toggle-masks") > 1, "Tab leaves the page, or comes round"


def test_names_from_elsewhere_are_text_and_never_markup(page, microscope):
    microscope.view.alter = lambda status: replace(
        status,
        message=HOSTILE,
        source=replace(status.source, name=HOSTILE),
        classes=tuple(replace(one, label=HOSTILE) for one in status.classes),
        tally=replace(status.tally, state="refused", name=HOSTILE, message=HOSTILE),
    )
    page.wait_for_function("(text) => document.getElementById('trouble').textContent === text", arg=HOSTILE)
    microscope.view.log.add("fault", HOSTILE)
    for tab in ("log", "kept", "solver", "camera", "count"):
        page.click(f"#tab-{tab}")
        page.wait_for_timeout(150)
    assert page.inner_text("#source-name") == HOSTILE
    assert page.inner_text(".sample-name") == HOSTILE
    assert page.title() == "hemonode live"
    assert page.evaluate("() => document.querySelectorAll('main img[src=x], main script').length") == 0


def test_a_lost_camera_is_said_and_what_is_shown_fades(page, microscope):
    microscope.view.trouble = "The camera is gone: check its cable. Trying again."
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.inner_text("#trouble") == microscope.view.trouble
    assert page.inner_text("#pill") == "Camera lost"
    page.wait_for_selector("html[data-stale=true]")
    assert not page.is_visible("#live-mark")
    assert page.inner_text("#counts-now") == "Last seen"
    microscope.view.trouble = None
    page.wait_for_selector("#trouble", state="hidden")
    page.wait_for_selector("html[data-stale=false]")
    assert page.is_visible("#live-mark")


def test_masks_hidden_of_one_model_are_shown_of_the_next(page, microscope):
    page.keyboard.press("2")
    page.wait_for_function(f"() => ({AT_CELLS})().filter(([id]) => id === 2).some(([, pixel]) => pixel[3] === 0)")
    microscope.view.alter = lambda status: replace(
        status, classes=tuple(replace(one, label=f"{one.label} too") for one in status.classes)
    )
    page.get_by_role("button", name="Red cells too").wait_for()
    assert page.get_by_text("mask hidden").count() == 0
    page.wait_for_function(f"() => ({AT_CELLS})().every(([, pixel]) => pixel[3] > 0)")


def test_the_page_says_that_the_connection_is_lost_and_comes_back_by_itself(page, microscope):
    microscope.stop()
    try:
        page.wait_for_function("() => document.getElementById('pill').textContent === 'Disconnected'")
        assert "What is shown is old" in page.inner_text("#trouble")
    finally:
        microscope.start()
    page.wait_for_function("() => document.getElementById('pill').textContent === 'Live'")
    page.wait_for_selector("#trouble", state="hidden")
    changes(page, PICTURE, page.evaluate(PICTURE))


def test_a_connection_that_falls_silent_without_closing_is_made_anew(open_page, microscope, chromium):
    context = chromium.new_context(viewport=DESKTOP)
    page = context.new_page()
    made, silent = [], []

    def relay(route):
        made.append(route)
        server = route.connect_to_server()
        server.on_message(lambda message: None if silent else route.send(message))

    page.route_web_socket("**/stream", relay)
    page.goto(microscope.url)
    page.wait_for_selector("#pill[data-state=running]")
    silent.append(True)
    page.wait_for_function("() => document.getElementById('pill').textContent === 'Disconnected'")
    silent.clear()
    page.wait_for_function("() => document.getElementById('pill').textContent === 'Live'")
    assert len(made) > 1
    context.close()


def test_on_a_tablet_everything_can_be_touched_and_two_fingers_zoom(open_page):
    page = open_page(has_touch=True)
    for size in ({"width": 820, "height": 1180}, {"width": 1180, "height": 820}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)
        page.wait_for_timeout(100)
        small = page.evaluate("""() => [...document.querySelectorAll("button, select, input, summary, a")]
          .filter((one) => one.checkVisibility())
          .map((one) => [one.id || one.className, one.getBoundingClientRect()])
          .filter(([, { width, height }]) => height < 44 || width < 38).map(([name]) => name)""")
        assert small == [], size
        over = page.evaluate(
            "() => ['Width', 'Height'].map((way) => document.documentElement[`scroll${way}`] - window[`inner${way}`])"
        )
        assert over == [0, 0], size
    touch = page.context.new_cdp_session(page)
    fingers = lambda apart: [{"x": 195 - apart, "y": 200, "id": 0}, {"x": 195 + apart, "y": 200, "id": 1}]  # noqa: E731
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": fingers(30)})
    for apart in (45, 60, 90):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": fingers(apart)})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("() => parseFloat(document.getElementById('zoom-factor').textContent) > 2")
    page.get_by_role("button", name="Start tally").tap()
    page.wait_for_selector("#do-pause")
