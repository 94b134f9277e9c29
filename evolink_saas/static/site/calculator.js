// The calculator of the public pages: credits and dollars of a video, from the cells that the page carries.
// Multiplied exactly, in whole numbers, and rounded half up once at the end, as evolink_saas/site/calculator.py does.

const PLACES = 4;

function decimal(text) {
  const [whole, part = ""] = String(text).split(".");
  return { digits: BigInt(whole + part), places: part.length };
}

function times(a, b) {
  return { digits: a.digits * b.digits, places: a.places + b.places };
}

function rounded(value) {
  const scale = 10n ** BigInt(PLACES);
  return divided(value.digits * scale, 10n ** BigInt(value.places));
}

function divided(number, by) {
  return (2n * number + by) / (2n * by);
}

function larger(a, b) {
  const places = BigInt(Math.max(a.places, b.places));
  const grown = (one) => one.digits * 10n ** (places - BigInt(one.places));
  return grown(a) >= grown(b) ? a : b;
}

// Credits, dollars and the maker's dollars in 1/10,000; `billed` in seconds, as text. Official is null where unknown.
export function cost(prices, cell, seconds) {
  const { unit, rate, factor, minimum, official } = prices.cells[cell];
  const asked = decimal(seconds);
  const billed = unit === "call" ? decimal(1) : larger(asked, decimal(minimum));
  const credits = rounded(times(times(decimal(rate), decimal(factor)), billed));
  const perDollar = decimal(prices.creditsPerDollar);
  return {
    credits,
    usd: divided(credits * 10n ** BigInt(perDollar.places), perDollar.digits),
    official: official === null ? null : rounded(times(decimal(official), billed)),
    billed: billed === asked ? String(seconds) : minimum,
    isMinimum: unit !== "call" && billed !== asked,
  };
}

export function written(amount, atLeast = 0) {
  const digits = amount.toString().padStart(PLACES + 1, "0");
  const whole = digits.slice(0, -PLACES).replace(/\B(?=(\d{3})+$)/g, ",");
  const part = digits.slice(-PLACES).replace(/0+$/, "").padEnd(atLeast, "0");
  return part ? `${whole}.${part}` : whole;
}

function start(form) {
  const prices = JSON.parse(form.querySelector("script[type='application/json']").textContent);
  const [seconds, quality] = [form.elements.seconds, form.elements.quality];
  const [kind, slider] = [form.querySelector("[data-kind]"), form.querySelector("[data-slider]")];
  const part = (name) => form.querySelector(`[data-${name}]`);
  slider.hidden = false;

  function show() {
    const cell = kind?.value ? `${quality.value}_${kind.value}` : quality.value;
    const fits = seconds.validity.valid && cell in prices.cells;
    seconds.setAttribute("aria-invalid", String(!fits));
    part("problem").hidden = fits;
    part("sum").hidden = !fits;
    if (!fits) return;
    const found = cost(prices, cell, String(seconds.valueAsNumber));
    part("credits").textContent = written(found.credits);
    part("usd").textContent = `$${written(found.usd, 2)}`;
    part("official-line").hidden = found.official === null;
    part("official").textContent = found.official === null ? "" : `$${written(found.official, 2)}`;
    part("minimum-line").hidden = !found.isMinimum;
    part("billed").textContent = found.billed;
  }

  slider.addEventListener("input", () => { seconds.value = slider.value; show(); });
  form.addEventListener("input", (event) => {
    if (event.target === seconds && seconds.validity.valid) slider.value = seconds.value;
    show();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
}

for (const form of document.querySelectorAll("[data-calculator]")) start(form);
