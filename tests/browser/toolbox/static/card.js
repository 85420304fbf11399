export function mount({ root, channel, signal }) {
  root.querySelector(".toolbox-hello").addEventListener("click", () => channel.send("hello"), { signal });
  for (const event of ["whisper", "all"]) channel.on(event, ({ data }) => root.querySelector(".toolbox-heard").append(`${data.text}. `));
}
