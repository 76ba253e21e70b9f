// Autodiag dans votre page : un cadre titré, là où est cette balise, dont la hauteur suit ce qu'il montre.
((tag, frame) => {
  const ours = new URL(tag.src).origin;
  frame.src = `${ours}/integre?${new URLSearchParams({ c: tag.dataset.campagne ?? "", hote: location.origin })}`;
  frame.title = "Autodiag : votre commerce est-il bien protégé ?";
  frame.allow = "clipboard-write; web-share";
  frame.style.cssText = "display: block; width: 100%; height: 45rem; border: 0";
  addEventListener("message", ({ origin, source, data }) => {
    if (origin === ours && source === frame.contentWindow) frame.style.height = `${Number(data?.autodiag?.height)}px`;
  });
  tag.after(frame);
})(document.currentScript, document.createElement("iframe"));
