// Answers the one who said hello, then all.
export function mount({ root, channel }) {
  channel.on("hello", async ({ from }) => {
    await channel.send("whisper", { text: "only you" }, { to: from });
    const nobody = await channel.send("whisper", { text: "nobody" }).catch(({ code }) => code);
    await channel.send("all", { text: "all of you" });
    root.firstElementChild.append(`${nobody}`);
  });
}
