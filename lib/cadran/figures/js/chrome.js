// How the page sits in the window that marimo gives it.

/** Take the whole window where the notebook is only read; keep to the cell in the editor. */
export function settle(el, root) {
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "dark" || asked === "light") el.dataset.theme = document.documentElement.dataset.cadranTheme = asked;
  const page = root.querySelector(".page");
  if (document.querySelector(".cm-editor") || page.classList.contains("alone")) return;
  document.documentElement.lang = page.lang;
  document.title = page.dataset.title;
  if (!document.getElementById("cadran-chrome")) {
    const style = document.createElement("style");
    style.id = "cadran-chrome";
    style.textContent = root.querySelector("template.chrome").content.textContent;
    document.head.append(style);
  }
  for (let node = el; node && node !== document.body; node = node.parentElement ?? node.getRootNode().host) {
    node.dataset.cadranWay = "";
  }
}
