// Elements, and the style of what is loaded late.

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const button = (label, kind, press) => make("button", { type: "button", className: `button ${kind}`, onclick: press }, label);

let styled = null;

export const style = () => styled ??= new Promise(resolve => {
  const link = make("link", { rel: "stylesheet", href: new URL("./photo.css", import.meta.url).href, onload: resolve, onerror: resolve });
  document.head.append(link);
});
