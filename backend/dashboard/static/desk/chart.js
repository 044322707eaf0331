// Moving along the chart reads one day aloud and on the page; with the mouse, a finger or the keys.
"use strict";

(() => {
  const begin = () => {
    const chart = document.querySelector(".chart");
    if (!chart) return;
    const told = JSON.parse(document.getElementById("told").textContent);
    const scrub = chart.querySelector(".scrub");
    const slider = document.getElementById("scrub");
    const output = document.getElementById("day-told");
    const lanes = chart.querySelector(".lanes");
    const plot = chart.querySelector(".plot");
    const cross = chart.querySelector(".cross");

    const show = (day, isPointed) => {
      const { day: name, says } = told[day];
      slider.value = day;
      slider.setAttribute("aria-valuetext", `${name}: ${says}`);
      const bold = document.createElement("b");
      bold.textContent = name;
      output.replaceChildren(bold, ` ${says}`);
      const left = plot.getBoundingClientRect().left - lanes.getBoundingClientRect().left;
      cross.style.left = `${left + ((day + 0.5) / told.length) * plot.getBoundingClientRect().width}px`;
      cross.hidden = !isPointed;
    };

    const dayAt = (event) => {
      const box = plot.getBoundingClientRect();
      const day = Math.floor(((event.clientX - box.left) / box.width) * told.length);
      return day >= 0 && day < told.length ? day : null;
    };

    lanes.addEventListener("pointermove", (event) => {
      const day = dayAt(event);
      if (day !== null) show(day, true);
    });
    lanes.addEventListener("pointerleave", () => { cross.hidden = true; });
    slider.addEventListener("input", () => show(Number(slider.value), true));
    slider.addEventListener("blur", () => { cross.hidden = true; });
    scrub.hidden = false;
    show(told.length - 1, false);
  };

  document.addEventListener("DOMContentLoaded", begin);
})();
