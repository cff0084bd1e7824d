// Draws the trace of this page. Only the rows that can be seen are in the document.
(() => {
  const ROW = 26;
  const INDENT = 14;
  const DEEPEST = 24;
  // More siblings of one name than this are folded, down to the kinds below.
  const MOST_ALIKE = 10, FIRST = 3, SLOWEST = 2, MOST_TROUBLED = 3;
  const MOST_EVENTS_DRAWN = 40;

  const data = JSON.parse(byId("trace").textContent);
  const spans = data.spans;
  const [rows, all, details, search] = ["rows", "all", "details", "search"].map(byId);

  // ---- text

  // On a line, a statement has single blanks for line breaks and indentation.
  const STATEMENTS = ["db.query.text", "db.statement"];
  const inRow = (key, value) =>
    STATEMENTS.includes(key) ? value.replace(/[ \t\n\f\r]+/g, " ").replace(/^ | $/g, "") : value;

  // ---- the tree

  const roots = [];
  const colours = new Map();
  for (const span of spans) {
    span.children = [];
    span.troubled = span.state !== "";
    span.isOpen = true;
    // Spans of one name have one colour.
    if (!colours.has(span.name)) colours.set(span.name, colours.size % 8);
    span.colour = colours.get(span.name);
  }
  for (const span of spans) {
    span.above = span.up === null ? null : spans[span.up];
    (span.above ? span.above.children : roots).push(span);
  }
  for (const span of spans) {
    for (let at = span; span.state !== "" && at.above && !at.above.troubled; at = at.above) at.above.troubled = true;
  }

  /// What stands below a span: spans, and folds that hold several of one name. Made once.
  const arrange = (siblings) => {
    const alike = new Map();
    for (const span of siblings) {
      if (!alike.has(span.name)) alike.set(span.name, []);
      alike.get(span.name).push(span);
    }
    const folds = new Map();
    for (const [name, run] of alike) {
      if (run.length <= MOST_ALIKE) continue;
      const slowest = [...run].sort((a, b) => b.length - a.length).slice(0, SLOWEST);
      const troubled = run.filter((span) => span.troubled).slice(0, MOST_TROUBLED);
      const kept = new Set([...run.slice(0, FIRST), ...slowest, ...troubled]);
      const hidden = run.filter((span) => !kept.has(span));
      const fold = { name, hidden, above: run[0].above, isFold: true, isOpen: false };
      hidden.forEach((span) => folds.set(span, fold));
      fold.last = run[run.length - 1];
    }
    const shown = [];
    const ends = new Map();
    new Set(folds.values()).forEach((fold) => ends.set(fold.last, fold));
    for (const span of siblings) {
      if (!folds.has(span)) shown.push(span);
      if (ends.has(span)) shown.push(ends.get(span));
    }
    return shown;
  };
  const top = { children: roots, depth: -1 };
  const arranged = (node) => (node.arranged ??= arrange(node.children));

  // ---- what is visible

  let needle = "";
  let matches = new Set();
  let onTheWay = new Set();
  let visible = [];
  let chosen = null;

  const below = (node) => {
    if (node.isFold) return node.isOpen ? node.hidden : [];
    if (needle) return node.children.filter((span) => matches.has(span) || onTheWay.has(span));
    return node === top || node.isOpen ? arranged(node) : [];
  };

  const list = () => {
    visible = [];
    const open = [...below(top)].reverse();
    open.forEach((node) => (node.depth = 0));
    while (open.length) {
      const node = open.pop();
      node.row = visible.push(node) - 1;
      const children = needle && !node.isFold && !node.isOpen ? [] : below(node);
      for (let n = children.length - 1; n >= 0; n--) {
        children[n].depth = node.depth + (node.isFold ? 0 : 1);
        open.push(children[n]);
      }
    }
    all.style.height = `${visible.length * ROW}px`;
  };

  const isVisible = (node) => node !== null && visible[node.row] === node;

  const texts = (span) => {
    const values = (pairs) => pairs.flatMap(([key, value]) => [key, value]);
    const events = span.events.flatMap((event) => [event.name, ...values(event.attributes)]);
    return [span.name, span.id, span.kind, span.status.text, span.scope.name, ...values(span.attributes), ...events];
  };

  const find = () => {
    needle = search.value.trim().toLowerCase();
    matches = new Set();
    onTheWay = new Set();
    if (needle) {
      for (const span of spans) {
        span.searched ??= texts(span).join("\n").toLowerCase();
        if (!span.searched.includes(needle)) continue;
        matches.add(span);
        for (let at = span.above; at && !onTheWay.has(at); at = at.above) {
          onTheWay.add(at);
          at.isOpen = true;
        }
      }
    }
    byId("found").textContent = needle ? `${matches.size.toLocaleString("en")} of ${spans.length.toLocaleString("en")}` : "";
    refresh();
    if (needle && matches.size && !matches.has(chosen)) choose(visible.find((node) => matches.has(node)) ?? null);
    rows.scrollTop = isVisible(chosen) ? Math.min(rows.scrollTop, chosen.row * ROW) : 0;
    draw();
  };

  // ---- rows

  const whole = Math.max(1, data.length);
  let view = [0, whole];
  const within = ([from, to], nanos) => Math.min(100, Math.max(0, ((nanos - from) / (to - from)) * 100));
  const percent = (nanos) => within(view, nanos);

  const marked = (element, text) => {
    const at = needle ? text.toLowerCase().indexOf(needle) : -1;
    if (at < 0 || text.toLowerCase().length !== text.length) {
      element.textContent = onLine(text);
      return element;
    }
    const end = at + needle.length;
    element.append(onLine(text.slice(0, at)), make("mark", "", onLine(text.slice(at, end))), onLine(text.slice(end)));
    return element;
  };

  const hasBelow = (node) => node.isFold || (needle ? onTheWay.has(node) : node.children.length > 0);

  const label = (node) => {
    const element = make("div", "label");
    const depth = Math.min(node.depth, DEEPEST);
    for (let n = 1; n <= depth; n++) {
      const guide = make("i", "guide");
      guide.style.left = `${n * INDENT + 3}px`;
      element.append(guide);
    }
    const twist = make("span", "twist", hasBelow(node) ? (node.isOpen ? "▼" : "▶") : "");
    twist.style.marginLeft = `${depth * INDENT + 8}px`;
    twist.dataset.twist = hasBelow(node) ? "1" : "";
    element.append(twist);
    if (node.isFold) {
      const lengths = node.hidden.map((span) => span.length);
      const least = lengths.reduce((a, b) => Math.min(a, b)), most = lengths.reduce((a, b) => Math.max(a, b));
      const troubled = node.hidden.filter((span) => span.troubled).length;
      element.append(make("span", "text", `${node.hidden.length.toLocaleString("en")} more ${onLine(node.name)}, ${human(least)} to ${human(most)}`));
      if (troubled) element.append(make("span", "tag bad", `${troubled} with trouble`));
      return element;
    }
    element.append(marked(make("span", "text"), node.name));
    if (node.depth > DEEPEST) element.append(make("span", "tag", `level ${node.depth}`));
    if (node.kind) element.append(make("span", "tag", node.kind));
    if (node.state === "failed") element.append(make("span", "tag bad", onLine(node.error || "error")));
    if (node.state === "cancelled") element.append(make("span", "tag stopped", "cancelled"));
    if (node.place) element.append(make("span", "tag", node.place));
    const some = node.attributes.filter(([key]) => !key.startsWith("code.") && key !== "error.type" && key !== "enter_span.outcome");
    element.append(make("span", "some", some.slice(0, 6).map(([key, value]) => onLine(`${key.slice(0, 80)}=${inRow(key, value).slice(0, 120)}`)).join("  ")));
    return element;
  };

  const time = (node) => {
    const element = make("div", "time");
    const start = node.isFold ? node.hidden[0].start : node.start;
    const end = node.isFold ? node.hidden.reduce((a, span) => Math.max(a, span.start + span.length), 0) : start + node.length;
    const length = node.isFold ? node.hidden.reduce((a, span) => a + span.length, 0) : node.length;
    if (end < view[0] || start > view[1]) return element;
    const kind = node.isFold ? `c${node.hidden[0].colour} several` : `c${node.colour} ${node.state}`;
    const bar = make("div", `bar ${kind}`);
    const [left, right] = [percent(start), percent(end)];
    bar.style.left = `min(${left}%, 100% - 2px)`;
    bar.style.width = `${right - left}%`;
    element.append(bar);
    const events = (node.events ?? []).filter((event) => event.at >= view[0] && event.at <= view[1]);
    for (const event of events.slice(0, MOST_EVENTS_DRAWN)) {
      const dot = make("i", event.name === "exception" ? "dot bad" : "dot");
      dot.style.left = `${percent(event.at)}%`;
      dot.title = onLine(event.name.slice(0, 200));
      element.append(dot);
    }
    // Behind the bar, or before it where there is more room.
    const isBefore = right > 85 && left > 15;
    const took = make("span", isBefore ? "took before" : "took", (node.isFold ? "Σ " : "") + human(length));
    took.style.left = isBefore ? `${left}%` : `max(${right}%, ${left}% + 2px)`;
    element.append(took);
    return element;
  };

  const row = (node) => {
    const aside = needle && !node.isFold && !matches.has(node);
    const element = make("div", `row${node === chosen ? " chosen" : ""}${node.isFold ? " fold" : ""}${aside ? " aside" : ""}`);
    element.id = `row-${node.row}`;
    element.dataset.row = node.row;
    element.style.top = `${node.row * ROW}px`;
    element.setAttribute("role", "treeitem");
    element.setAttribute("aria-level", node.depth + 1);
    element.setAttribute("aria-selected", node === chosen);
    if (hasBelow(node)) element.setAttribute("aria-expanded", node.isOpen);
    element.append(label(node), time(node));
    return element;
  };

  const draw = () => {
    const first = Math.max(0, Math.floor(rows.scrollTop / ROW) - 10);
    const last = Math.min(visible.length, Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + 10);
    all.replaceChildren(...visible.slice(first, last).map(row));
    if (isVisible(chosen)) rows.setAttribute("aria-activedescendant", `row-${chosen.row}`);
    else rows.removeAttribute("aria-activedescendant");
  };

  const refresh = () => {
    list();
    draw();
  };

  // ---- choosing, opening

  const choose = (node) => {
    chosen = node;
    if (node && isVisible(node)) {
      const at = node.row * ROW;
      if (at < rows.scrollTop) rows.scrollTop = at;
      else if (at + ROW > rows.scrollTop + rows.clientHeight) rows.scrollTop = at + ROW - rows.clientHeight;
    }
    if (node && !node.isFold && !details.hidden) show(node);
    draw();
  };

  const turn = (node, isOpen) => {
    node.isOpen = isOpen;
    refresh();
  };

  const turnAll = (isOpen) => {
    spans.forEach((span) => (span.isOpen = isOpen));
    for (const node of [top, ...spans]) (node.arranged ?? []).forEach((one) => one.isFold && (one.isOpen = false));
    list();
    while (chosen && !isVisible(chosen)) chosen = chosen.above ?? null;
    draw();
  };

  // ---- details

  // Through the index: it knows which page has a trace, and this page does not.
  const toTrace = (trace, span) => data.index && `${data.index}#${trace}${span ? `-${span}` : ""}`;

  const pairs = (entries) => {
    const element = make("dl", "pairs");
    for (const [key, value, type, target] of entries) {
      const dd = make("dd", "", target ? undefined : onLines(value));
      if (target) dd.append(anchor(onLines(value), target));
      if (type && type !== "string") dd.append(make("span", "type", ` ${type}`));
      element.append(make("dt", "", onLine(key)), dd);
    }
    return element;
  };

  const section = (title, entries, dropped) => {
    if (entries.length) details.append(make("h3", "", title), pairs(entries));
    if (dropped) details.append(make("p", "none", `${count(dropped, "more")} dropped`.replace("mores", "more")));
  };

  const at = (nanos) => new Date(data.start + nanos / 1e6).toISOString();

  const show = (span) => {
    const close = make("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", hide);
    details.replaceChildren(close, make("h2", "", onLines(span.name)));
    details.append(make("div", "none", `${human(span.length)}, ${span.start ? `${human(span.start)} after` : "at"} the start`));
    if (span.status.text) details.append(make("p", "said", onLines(span.status.text)));
    section("Attributes", span.attributes, span.dropped);
    if (span.events.length) details.append(make("h3", "", "Events"));
    for (const event of span.events) {
      const element = make("div", event.name === "exception" ? "event bad" : "event");
      const head = make("div", "", onLine(event.name));
      head.append(make("span", "", `+${human(Math.max(0, event.at - span.start))}`));
      element.append(head);
      if (event.attributes.length) element.append(pairs(event.attributes));
      details.append(element);
    }
    if (span.droppedEvents) details.append(make("p", "none", `${span.droppedEvents} more dropped`));
    if (span.links.length) details.append(make("h3", "", "Links"));
    for (const link of span.links) {
      const target = toTrace(link.trace, link.span);
      details.append(pairs([["trace", link.trace, "", target], ["span", link.span, "", target], ...link.attributes]));
    }
    if (span.droppedLinks) details.append(make("p", "none", `${span.droppedLinks} more dropped`));
    const known = [
      ["status", span.status.code], ["kind", span.kind || "internal"], ["start", at(span.start)], ["end", at(span.start + span.length)],
      ["span", span.id], ["parent", span.parent, "", span.above ? "" : toTrace(data.trace, span.parent)],
      ["trace", data.trace, "", toTrace(data.trace)], ["trace state", span.traceState],
    ];
    section("Span", known.filter(([, value]) => value));
    const scope = [["name", span.scope.name], ["version", span.scope.version], ...span.scope.attributes];
    section("Scope", scope.filter(([, value]) => value));
    section("Resource", data.resource);
    details.hidden = false;
    details.scrollTop = 0;
    draw();
  };

  const hide = () => {
    details.hidden = true;
    rows.focus();
    draw();
  };

  const enter = (node) => {
    if (node.isFold) turn(node, !node.isOpen);
    else if (details.hidden) show(node);
    else hide();
  };

  // ---- the head of the page

  const fact = (text, value, kind) => {
    const element = make("span", kind ?? "", value === undefined ? text : "");
    if (value !== undefined) element.append(make("b", "", value), ` ${text}`);
    byId("facts").append(element);
    return element;
  };

  const head = () => {
    const name = roots.length ? onLine(roots[0].name) : "Empty trace";
    byId("name").textContent = name;
    document.title = `${name}, ${human(data.length)}`;
    const service = data.resource.find(([key]) => key === "service.name");
    if (data.index) fact("").append(anchor("All traces", data.index));
    if (service) fact(onLine(service[1]));
    fact("", human(data.length));
    fact(spans.length === 1 ? "span" : "spans", spans.length.toLocaleString("en"));
    const failed = spans.filter((span) => span.state === "failed").length;
    const cancelled = spans.filter((span) => span.state === "cancelled").length;
    if (failed) fact("failed", String(failed), "bad");
    if (cancelled) fact("cancelled", String(cancelled), "stopped");
    data.notes.forEach((note) => fact(note, undefined, "stopped"));
    fact(new Date(data.start).toISOString().replace("T", " ").replace("Z", " UTC"));
    const id = fact(data.index ? "" : data.trace, undefined, "id");
    if (data.index) id.append(anchor(data.trace, toTrace(data.trace)));
  };

  // ---- a span that another page asks for

  // Several pages may have parts of one trace. The address names the span, and the pages to look in after this one.
  const ASKED = /^#([0-9a-f]{16})((?:,trace-\d{17}-[0-9a-f]{32}(?:-\d{1,4})?\.html)*)$/;

  const reveal = (span) => {
    for (let at = span; at; at = at.above) {
      const siblings = at.above ?? top;
      siblings.isOpen = true;
      const fold = arranged(siblings).find((node) => node.isFold && node.hidden.includes(at));
      if (fold) fold.isOpen = true;
    }
    refresh();
    choose(span);
    show(span);
  };

  const showAsked = () => {
    const [, id, pages] = ASKED.exec(location.hash) ?? [];
    if (!id) return;
    const span = spans.find((span) => span.id === id);
    const [, page, ...others] = pages.split(",");
    if (span) reveal(span);
    else if (page) location.replace([`${page}#${id}`, ...others].join(","));
    else fact(`span ${id} is in no page of its trace`, undefined, "stopped");
  };

  const ticks = () => {
    const made = [0, 1, 2, 3, 4].map((n) => {
      const nanos = Math.round(view[0] + ((view[1] - view[0]) * n) / 4);
      const tick = make("span", n === 4 ? "last" : "", nanos === 0 ? "0" : human(nanos));
      tick.style.left = `${n * 25}%`;
      return tick;
    });
    byId("ticks").replaceChildren(...made);
  };

  const canvas = byId("overview");
  const EDGE = 16;
  // Where a drag has begun and is now, in nanoseconds.
  let drag = null;

  const overview = () => {
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (span) =>
      style.getPropertyValue(span.state === "failed" ? "--bad" : span.state === "cancelled" ? "--stopped" : `--c${span.colour}`);
    const x = (nanos) => EDGE + ((width - 2 * EDGE) * within([0, whole], nanos)) / 100;
    const line = Math.max(1, Math.min(4, ((height - 12) / spans.length) * 0.8));
    for (const [n, span] of spans.entries()) {
      pen.fillStyle = colour(span);
      pen.globalAlpha = span.state === "failed" ? 1 : 0.75;
      const y = 6 + ((height - 12 - line) * n) / Math.max(1, spans.length - 1);
      pen.fillRect(x(span.start), y, Math.max(1, x(span.start + span.length) - x(span.start)), line);
    }
    const [from, to] = (drag ?? view).map(x).sort((a, b) => a - b);
    pen.globalAlpha = 0.18;
    pen.fillStyle = style.getPropertyValue("--ink");
    if (from > EDGE) pen.fillRect(0, 0, from, height);
    if (to < width - EDGE) pen.fillRect(to, 0, width - to, height);
  };

  /// Shows this part of the time, or all of it where there is no such part.
  const zoom = (from, to) => {
    view = from < to ? [Math.max(0, from), Math.min(whole, to)] : [0, whole];
    ticks();
    overview();
    draw();
  };

  const zoomTo = (node) => {
    if (node.isFold || view[1] - view[0] < whole) return zoom(0, 0);
    const room = Math.max(node.length, whole / 1e5) * 0.1;
    return zoom(node.start - room, node.start + node.length + room);
  };

  const pointed = (event) => (whole * (event.offsetX - EDGE)) / Math.max(1, canvas.clientWidth - 2 * EDGE);

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = [pointed(event), pointed(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag[1] = pointed(event);
    overview();
  });
  canvas.addEventListener("pointerup", () => {
    const [from, to] = [...(drag ?? [0, 0])].sort((a, b) => a - b);
    drag = null;
    // A click is no drag.
    const isDrag = to - from > whole / 250;
    zoom(isDrag ? from : 0, isDrag ? to : 0);
  });

  // ---- events

  const keys = {
    ArrowDown: () => choose(visible[Math.min(visible.length - 1, isVisible(chosen) ? chosen.row + 1 : 0)] ?? null),
    ArrowUp: () => choose(visible[Math.max(0, isVisible(chosen) ? chosen.row - 1 : 0)] ?? null),
    PageDown: () => choose(visible[Math.min(visible.length - 1, (chosen?.row ?? 0) + 20)] ?? null),
    PageUp: () => choose(visible[Math.max(0, (chosen?.row ?? 0) - 20)] ?? null),
    Home: () => choose(visible[0] ?? null),
    End: () => choose(visible[visible.length - 1] ?? null),
    ArrowRight: () => {
      if (!isVisible(chosen) || !hasBelow(chosen)) return;
      if (!chosen.isOpen) turn(chosen, true);
      else choose(visible[chosen.row + 1]);
    },
    ArrowLeft: () => {
      if (!isVisible(chosen)) return;
      if (hasBelow(chosen) && chosen.isOpen) turn(chosen, false);
      else if (chosen.above) choose(chosen.above);
    },
    Enter: () => isVisible(chosen) && enter(chosen),
    " ": () => isVisible(chosen) && enter(chosen),
    "/": () => search.focus(),
    Escape: () => {
      if (!details.hidden) hide();
      else if (search.value) {
        search.value = "";
        find();
      } else zoom(0, 0);
    },
    z: () => isVisible(chosen) && zoomTo(chosen),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target === search) {
      if (event.key === "Enter" || event.key === "ArrowDown") rows.focus();
      else if (event.key === "Escape" && search.value === "") rows.focus();
      else if (event.key === "Escape") {
        search.value = "";
        find();
      } else return;
      event.preventDefault();
      return;
    }
    if (target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ")) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });

  all.addEventListener("click", (event) => {
    const element = event.target.closest(".row");
    const node = element && visible[Number(element.dataset.row)];
    if (!node) return;
    if (event.target.dataset.twist || node.isFold) {
      choose(node);
      turn(node, !node.isOpen);
    } else if (node === chosen && !details.hidden) hide();
    else {
      choose(node);
      show(node);
    }
  });

  let waiting = false;
  rows.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  });
  search.addEventListener("input", find);
  byId("expand").addEventListener("click", () => turnAll(true));
  byId("collapse").addEventListener("click", () => turnAll(false));
  window.addEventListener("resize", () => {
    draw();
    overview();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", overview);

  head();
  ticks();
  refresh();
  overview();
  choose(visible[0] ?? null);
  rows.focus();
  showAsked();
  window.addEventListener("hashchange", showAsked);
})();
