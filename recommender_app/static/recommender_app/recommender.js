/* Shows lists of recommendations and reports what was really seen and clicked; docs/clients.md describes the attributes.
   <div data-recommender="developer_startup" data-limit="5" data-href="/startups/{id}/">What to show until then</div> */
(() => {
  "use strict";
  const SEEN_MS = 1000, WAIT_MS = 2000, RETRY_MS = 5000, TRIES = 3;
  const started = new WeakSet();

  const uuid = () => crypto.randomUUID ? crypto.randomUUID() : // there on https and localhost only
    "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
      (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16));

  function csrfToken(data) {
    const name = (data.csrfCookie || "csrftoken") + "=";
    const cookie = document.cookie.split("; ").find((part) => part.startsWith(name));
    return data.csrfToken || (cookie || "").slice(name.length);
  }

  function add(parent, tag, text) {
    const node = parent.appendChild(document.createElement(tag));
    node.textContent = text; // never HTML
    return node;
  }

  function start(element) {
    if (started.has(element)) return;
    started.add(element);
    const data = element.dataset, query = new URLSearchParams(data.query), places = new Map(), seeing = new Map();
    const base = (data.endpoint || "/api/recommendations/") + encodeURIComponent(data.recommender) + "/";
    const owner = query.has("for") ? "?" + new URLSearchParams({ for: query.get("for") }) : "";
    const reported = new Set();
    let waiting = [], timer = 0, tries = 0;
    if (data.limit) query.set("limit", data.limit);

    function flush() {
      clearTimeout(timer);
      timer = 0;
      if (!waiting.length) return;
      const events = waiting;
      waiting = [];
      // Not sendBeacon, which cannot carry the CSRF header; keepalive outlives the page as well.
      fetch(base + "events/" + owner, {
        method: "POST", keepalive: true, body: JSON.stringify(events),
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(data) },
      }).then((response) => {
        if (response.status === 429 || response.status >= 500) throw response;
        tries = 0;
        return response.status === 400 ? response.json() : {};
      }).then(({ errors }) => { // of a post that is refused nothing was recorded: the others go again
        const refused = new Set(Object.keys(errors || {}).map((name) => parseInt(name)));
        if (!refused.size || refused.has(NaN)) return;
        waiting = events.filter((_, place) => !refused.has(place)).concat(waiting);
        flush();
      }).catch(() => { // sent again: the server knows each event_id
        if (++tries > TRIES) return;
        waiting = events.concat(waiting);
        timer = timer || setTimeout(flush, RETRY_MS * tries);
      });
    }

    function report(event, node) {
      const key = event + node.dataset.recommenderItem;
      if (!event || reported.has(key)) return;
      reported.add(key);
      waiting.push({ ...places.get(node), event, occurred_at: new Date().toISOString(), event_id: uuid() });
      if (event !== "impression") flush(); // the page may be about to go
      else timer = timer || setTimeout(flush, WAIT_MS);
    }

    const observer = new IntersectionObserver((entries) => entries.forEach(({ target, intersectionRatio }) => {
      clearTimeout(seeing.get(target));
      seeing.set(target, intersectionRatio < 0.5 ? 0 : setTimeout(() => {
        observer.unobserve(target);
        seeing.delete(target);
        report("impression", target);
      }, SEEN_MS));
    }), { threshold: 0.5 });

    function clicked({ type, button, target }) {
      const node = target.closest("[data-recommender-item]");
      if (places.has(node) && (type === "click" || button === 1)) report(data.click ?? "click", node);
    }

    function watch(node, item, position, request_id) {
      node.dataset.recommenderItem = item;
      places.set(node, { item, position, request_id });
      observer.observe(node);
    }

    function state(name, detail) {
      data.recommenderState = name;
      element.dispatchEvent(new CustomEvent("recommender:" + name, { bubbles: true, detail }));
    }

    function show(answer) {
      if (!answer.results.length) return state("empty", answer);
      const list = document.createElement("ol");
      for (const { id, rank, item, reason } of answer.results) {
        const place = add(list, "li", ""), text = item[data.label] ?? item.label ?? item.name ?? item.title ?? id;
        const label = add(place, data.href ? "a" : "span", text);
        if (data.href) label.href = data.href.replaceAll("{id}", encodeURIComponent(id));
        place.append(" ");
        if (reason) add(place, "small", reason.text);
        watch(place, id, rank, answer.request_id);
      }
      element.replaceChildren(list);
      state("shown", answer);
    }

    element.addEventListener("click", clicked, true);
    element.addEventListener("auxclick", clicked, true);
    addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", () => {
      for (const [node, second] of seeing) {
        clearTimeout(second);
        observer.unobserve(node);
        if (!document.hidden) observer.observe(node); // counts a second anew
      }
      flush();
    });

    if (data.requestId !== undefined) { // the server has rendered the list; "": no answer of ours, the host's own
      element.querySelectorAll("[data-recommender-item]").forEach((node, place) =>
        watch(node, node.dataset.recommenderItem, Number(node.dataset.recommenderPosition) || place + 1,
          data.requestId || undefined));
      state("shown");
    } else {
      fetch(base + (data.similar ? `similar/${encodeURIComponent(data.similar)}/` : "") + "?" + query)
        .then((response) => response.ok ? response.json() : Promise.reject(response)).then(show)
        .catch(() => state("failed")); // the page keeps what it had there
    }
  }

  const startAll = () => document.querySelectorAll("[data-recommender]").forEach(start);
  window.recommender = { start, startAll }; // for elements that come later
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
