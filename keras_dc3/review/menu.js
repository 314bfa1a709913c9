// A button that opens a list of others.

/** Makes a button open and close a list; it closes after a choice and by Esc. */
function menu(button, list) {
  const show = (shown, byKey = false) => {
    const within = list.contains(document.activeElement);
    list.hidden = !shown;
    button.setAttribute("aria-expanded", shown ? "true" : "false");
    if (shown && byKey) list.querySelector("button:not(:disabled)")?.focus();
    else if (within) button.focus();
  };
  button.setAttribute("aria-expanded", "false");
  button.onclick = (event) => show(list.hidden, !event.detail);
  list.addEventListener("click", () => show(false));
  document.addEventListener("pointerdown", (event) => {
    if (!list.hidden && !list.contains(event.target) && event.target !== button) show(false);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    show(false);
  });
}
