// Candles with entries and exits, and the equity line. The table below each says the same.
(() => {
  "use strict";
  const library = window.LightweightCharts;

  // The canvas knows no oklch(): let the browser turn a token into plain red, green, blue.
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (box, token, alpha = 1) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${token})`;
    box.append(probe);
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = getComputedStyle(probe).color;
    pixel.fillRect(0, 0, 1, 1);
    probe.remove();
    const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  };

  const time = (stamp, options) => new Date(stamp * 1000).toLocaleString("en-GB", options);
  const TICKS = [
    { year: "numeric" },
    { month: "short" },
    { day: "numeric", month: "short" },
    { hour: "2-digit", minute: "2-digit" },
    { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  ];
  const look = (box) => ({
    autoSize: true,
    layout: {
      background: { color: "transparent" },
      textColor: colour(box, "ink-faint"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      attributionLogo: box.dataset.chart === "candles",
    },
    grid: {
      vertLines: { color: colour(box, "line", 0.45) },
      horzLines: { color: colour(box, "line", 0.45) },
    },
    rightPriceScale: { borderVisible: false },
    timeScale: {
      borderVisible: false,
      timeVisible: true,
      secondsVisible: true,
      rightOffset: 4,
      tickMarkFormatter: (stamp, kind) => time(stamp, TICKS[kind]),
    },
    localization: {
      timeFormatter: (stamp) => time(stamp, { day: "numeric", month: "short", ...TICKS[4] }),
    },
    handleScroll: { mouseWheel: false },
    handleScale: { mouseWheel: false },
  });

  const candles = (box, chart) => {
    const paint = () => ({
      upColor: colour(box, "good-line"),
      downColor: colour(box, "bad-line"),
      wickUpColor: colour(box, "good-line"),
      wickDownColor: colour(box, "bad-line"),
      borderVisible: false,
    });
    const series = chart.addSeries(library.CandlestickSeries, paint());
    const marks = library.createSeriesMarkers(series, []);
    const mark = (item) => ({
      time: item.time,
      position: item.side === "buy" ? "belowBar" : "aboveBar",
      shape: item.side === "buy" ? "arrowUp" : "arrowDown",
      color: colour(box, item.opens ? "accent" : item.gain === false ? "bad-line" : "good-line"),
      text: item.text,
    });
    return {
      repaint: () => series.applyOptions(paint()),
      show: (data) => {
        const minMove = 1 / 10 ** data.decimals;
        series.applyOptions({ priceFormat: { type: "price", precision: data.decimals, minMove } });
        series.setData(data.candles);
        marks.setMarkers(data.markers.map(mark));
      },
    };
  };

  const line = (box, chart) => {
    const paint = () => ({
      lineColor: colour(box, "accent"),
      topColor: colour(box, "accent", 0.22),
      bottomColor: colour(box, "accent", 0),
      lineWidth: 2,
    });
    const series = chart.addSeries(library.AreaSeries, paint());
    return {
      repaint: () => series.applyOptions(paint()),
      show: (data) => series.setData(data[box.dataset.chart]),
    };
  };

  const mount = (box) => {
    if (box.dataset.mounted) return;
    box.dataset.mounted = "yes";
    const chart = library.createChart(box, look(box));
    const plot = (box.dataset.chart === "candles" ? candles : line)(box, chart);
    let version = "", fitted = false, drawn = null;
    const refresh = async () => {
      if (!box.isConnected) return clearInterval(timer);
      if (document.hidden && fitted) return undefined;
      const url = new URL(box.dataset.seriesUrl, document.baseURI);
      url.searchParams.set("v", version);
      const answer = await fetch(url).catch(() => null);
      if (!answer || answer.status !== 200) return undefined;
      const data = await answer.json();
      version = data.version;
      plot.show((drawn = data));
      if (!fitted) chart.timeScale().fitContent();
      fitted = true;
      box.dataset.drawn = "yes";
      if (!data.live) clearInterval(timer);
      return undefined;
    };
    let timer = setInterval(refresh, 2000);
    document.addEventListener("bot-changed", () => {
      clearInterval(timer);
      timer = setInterval(refresh, 2000);
    });
    refresh();
    const repaint = () => {
      chart.applyOptions(look(box));
      plot.repaint();
      if (drawn) plot.show(drawn);
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  };

  const mountAll = () => document.querySelectorAll("[data-series-url]").forEach(mount);
  document.addEventListener("htmx:afterSwap", mountAll);
  mountAll();
})();
