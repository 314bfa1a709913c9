// What stands beside the images: why one is in its group, and what classes look like.

function example(number, alt) {
  const element = make("img", "example");
  element.alt = alt;
  element.src = data.examples[number];
  return element;
}

function toggleWhy() {
  if ($("why").open) $("why").close();
  else if (isForGroup("W")) {
    $("whytext").replaceChildren(...why(current(), itemHere()));
    $("why").showModal();
  }
}

/** Why an image is where it is: its likeliest classes, and labeled images like it. */
function why(step, item) {
  const { image } = items[item];
  const shown = picture(image, "The image");
  shown.className = "asked";
  const parts = [shown];
  const list = make("ul", "bars");
  for (const [label, value] of likely(item).slice(0, 2)) {
    const bar = make("span", "bar");
    bar.style.width = `${value}%`;
    const name = make("bdi", "", data.classes[label]);
    list.append(make("li", "", undefined, name, ` ${value}%`, bar));
  }
  parts.push(make("p", "", "The model says:"), list);
  const near = data.near[image] ?? [];
  for (const [label, numbers] of near) {
    const name = make("bdi", "", data.classes[label]);
    const row = make("div", "examples");
    row.append(...numbers.map((n) => example(n, `labeled ${data.classes[label]}`)));
    parts.push(make("p", "", "The most similar ones that people named ", name, ":"), row);
  }
  if (!near.length) {
    parts.push(make("p", "about", "Labeled images like it are not on this page."));
  }
  return parts;
}

/** What classes are, and images of them; nothing where the page knows nothing of it. */
function classList() {
  const labels = [...data.classes.keys()].filter(
    (label) => data.descriptions[label] || data.typical[label]?.length,
  );
  if (!labels.length) return [];
  const list = make("dl", "described");
  for (const label of labels) {
    const row = make("div", "examples");
    const numbers = data.typical[label] ?? [];
    row.append(...numbers.map((n) => example(n, `example of ${data.classes[label]}`)));
    const name = make("dt", "", undefined, make("bdi", "", data.classes[label]));
    list.append(name, make("dd", "", data.descriptions[label], row));
  }
  return [make("h3", "", "Classes"), list];
}
