// What a mark says on hover: a small table of exact values, in the page's own look.
export function showTip(root) {
  return (_handler, event, _item, value) => {
    const tip = root.querySelector(".tip");
    if (value === null || value === undefined || value === "") {
      tip.hidden = true;
      return;
    }
    const known = Object.entries(value).filter(([, text]) => text !== "null"); // as Vega writes what is not told
    tip.replaceChildren(...known.flatMap(([label, text]) => [cell("dt", label), cell("dd", text)]));
    tip.hidden = false;
    const [x, y] = [event.clientX ?? 0, event.clientY ?? 0];
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${y + 18 + height > innerHeight ? y - height - 10 : y + 18}px`;
  };
}

function cell(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
