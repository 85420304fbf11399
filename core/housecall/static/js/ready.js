// What a device check says to the provider's board: {colour, reason} out of the closed set of contracts §7.

// devices: a Devices; found: the code of what a check has found beside them, or "". Null while nothing is known yet.
export function ready({ state, audio, video, wanted, cameraOff, problem }, found = "") {
  if (state === "off" || state === "asking") return null;
  const code = problem && `${problem.device}_${problem.kind}`;
  if (!audio) return { colour: "red", reason: code ?? "microphone_broken" };
  if (wanted && !video) return { colour: "yellow", reason: cameraOff ? "camera_skipped" : code ?? "camera_broken" };
  if (code || found) return { colour: "yellow", reason: code ?? found };
  return { colour: "green", reason: "" };
}
