// Draws every figure.chart with uPlot from the JSON beside it, in the page's colours, and again when those or its width change.
(function () {
  "use strict";

  const drawn = new Map();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function written(value, unit) {
    if (value === null || value === undefined) return "–";
    const lang = document.documentElement.lang;
    if (unit === "share") return (100 * value).toLocaleString(lang, { maximumFractionDigits: 1 }) + "%";
    const text = value.toLocaleString(lang, { maximumFractionDigits: value % 1 ? 2 : 0 });
    if (unit === "seconds") return text + (lang === "ko" ? "초" : " s");
    if (unit === "won") return text + (lang === "ko" ? "원" : " KRW");
    return text;
  }

  function stacked(series) {
    // From the first to the sum of all; drawn from the last, so that each lies over the ones above it.
    const sums = [];
    let below = null;
    for (const one of series) {
      const values = one.values.map((value, i) => (value || 0) + (below ? below[i] : 0));
      sums.push(values);
      below = values;
    }
    return sums;
  }

  function day(at) {
    const date = new Date(at * 1000);
    return new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: "UTC", month: "numeric", day: "numeric" }).format(date);
  }

  function options(data, width) {
    const text = colour("--text-quiet"), grid = colour("--line");
    const stack = data.kind === "stack";
    const bars = stack || data.kind === "bars";
    const order = data.series.map((_, i) => i);
    if (stack) order.reverse();
    const unit = data.series.length ? data.series[0].unit : "";
    const opts = {
      width: width,
      height: data.height,
      ms: 1e-3,
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), "UTC"),
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      hooks: {
        // Without a pointer over the plot the legend tells the newest values.
        ready: [(u) => u.setLegend({ idx: data.x.length - 1 })],
        setLegend: [(u) => { if (u.legend.idx === null) u.setLegend({ idx: data.x.length - 1 }); }],
      },
      scales: {
        x: { time: data.time, range: bars ? (u, min, max) => pad(data.x, min, max) : undefined },
        y: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] },
      },
      axes: [
        {
          stroke: text, grid: { show: false }, ticks: { stroke: grid }, label: data.xLabel || undefined,
          values: data.time ? (u, splits) => splits.map(day) : undefined, space: 60,
          incrs: data.time && span(data.x) > 2 * 86400 ? [86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400] : undefined,
        },
        { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false }, values: (u, splits) => splits.map((v) => written(v, unit)), size: 64 },
      ],
      series: [
        { label: data.xLabel || " ", value: (u, at) => (at === null ? "–" : data.time ? day(at) : String(at)) },
        ...order.map((i) => {
          const one = data.series[i];
          const stroke = colour("--tone-" + one.tone);
          return {
            label: one.label,
            stroke: stroke,
            width: bars ? 0 : 2,
            fill: bars ? stroke : undefined,
            points: { show: !bars && data.x.length < 40, size: 5 },
            paths: bars ? uPlot.paths.bars({ size: [0.7, 48] }) : undefined,
            spanGaps: false,
            value: (u, v, s, at) => (at === null || at === undefined ? "–" : written(one.values[at], one.unit)),
          };
        }),
      ],
    };
    const values = stack ? stacked(data.series) : data.series.map((one) => one.values);
    return [opts, [data.x, ...order.map((i) => values[i])]];
  }

  function span(x) {
    return x.length ? x[x.length - 1] - x[0] : 0;
  }

  function pad(x, min, max) {
    const step = x.length > 1 ? x[1] - x[0] : 1;
    return [min - step / 2, max + step / 2];
  }

  function draw(figure) {
    const place = figure.querySelector(".plot");
    const source = figure.querySelector(".chart-data");
    if (!place || !source || !place.clientWidth) return;
    const data = JSON.parse(source.textContent);
    if (!data.x.length) return;
    const before = drawn.get(place);
    if (before) before.destroy();
    const [opts, values] = options(data, place.clientWidth);
    const plot = new uPlot(opts, values, place);
    plot.root.classList.toggle("unnamed-x", !data.xLabel);
    drawn.set(place, plot);
    // The picture has a sentence and a table for those who do not see it; its insides are noise to them.
    for (const child of place.children) child.setAttribute("aria-hidden", "true");
  }

  function all(root) {
    for (const figure of root.querySelectorAll("figure.chart")) draw(figure);
  }

  document.addEventListener("DOMContentLoaded", () => {
    all(document);
    let waiting = 0;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => all(document), 150);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all(document));
    document.body.addEventListener("htmx:afterSwap", (event) => {
      for (const place of drawn.keys()) if (!place.isConnected) { drawn.get(place).destroy(); drawn.delete(place); }
      all(event.target);
    });
  });
})();
