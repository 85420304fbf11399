// What a part may do: the whole client side of the plugin API (docs/contracts.md §12).

import { late, page, say } from "./page.js";
import { badge, confirm, dialog, download, notice, panel, progress } from "./surface.js";
import { text } from "./text.js";

// scope: {me, visit, channel, call, devices, room, member}; visit is a VisitState (visit-state.js) or null.
export function host({ element, plugin, slot, scope, signal, steps }) {
  const known = page.parts[plugin] ?? { settings: {}, events: {} };
  const full = event => `${plugin}:${event}`;
  const settings = { ...known.settings, ...known.rooms?.[scope.room] };
  const guarded = listener => (...given) => {
    try {
      const made = listener(...given);
      made?.catch?.(error => console.warn(`${plugin}: ${error}`));
      return made;
    } catch (error) {
      console.warn(`${plugin}: ${error}`);
    }
  };
  const { channel, call, visit, devices } = scope;
  signal.addEventListener("abort", () => queueMicrotask(() => { // switched off, not only out of sight
    if (devices?.owner === plugin && !page.parts[plugin]) withhold(devices, text("What changed your picture was switched off, and your camera with it. Turn the camera on to be seen as you are."));
  }));
  return Object.freeze({
    root: element, plugin, slot, settings: Object.freeze(settings), signal, text,
    me: Object.freeze({ ...scope.me }),
    visit: visit && Object.freeze({
      get id() { return visit.id; },
      get name() { return visit.name; },
      get state() { return visit.state; },
      get arrived() { return visit.arrived; },
      get seats() { return visit.seats; },
      get steps() { return visit.steps; },
      on(change, listener) { visit.addEventListener(change, guarded(() => listener()), { signal }); },
    }),
    channel: channel && Object.freeze({
      send: (event, data, options) => channel.send(full(event), data, options),
      on: (event, listener) => channel.on(full(event), guarded(listener), signal),
      history: (event, options) => channel.history(full(event), options),
      others: () => channel.others(),
      deliver: (name, blob, options) => channel.bring(full(name), blob, options),
      incoming: (name, taker) => channel.incoming(full(name), guarded(taker), signal),
    }),
    call: call ? Object.freeze({
      get state() { return call()?.state ?? "none"; },
      get local() { return call()?.local ?? null; },
      remote: seat => call()?.remote(seat) ?? null,
      shows: seat => call()?.shows(seat) ?? null,
      add(purpose, track) {
        const running = signal.aborted ? null : call();
        if (running) return running.add(purpose, track, signal);
        track.stop();                                     // what was asked for too long ago
        throw Object.assign(new Error("there is no call"), { code: "closed" });
      },
      stats: seat => call()?.stats(seat) ?? Promise.resolve(null),
      on(change, listener) { call()?.addEventListener(change, guarded(() => listener()), { signal }); },
    }) : null,
    camera: devices ? () => late("./loan.js").then(({ lend }) => lend(devices, signal)) : null,
    devices: devices ? Object.freeze({
      get wanted() { return devices.wanted; },
      get picture() { return devices.picture; },
      get facing() { return devices.facing; },
      get filtered() { return devices.owner === plugin; },
      filter(made) {
        if (!made) return devices.owner === plugin && devices.wear(null);
        if (!page.parts[plugin]) return made.stop();     // it was switched off meanwhile
        devices.wear({ track: made.track, take: guarded(track => made.take(track)), stop: guarded(() => made.stop()) }, plugin);
      },
      withhold(words) { if (devices.owner === plugin) withhold(devices, words); },
      on(change, listener) { devices.addEventListener(change, guarded(() => listener()), { signal }); },
    }) : null,
    ui: Object.freeze({
      notice: words => notice(words),
      say,
      dialog: options => dialog(options, signal),
      confirm: (question, options) => confirm(question, options, signal),
      badge: n => badge(plugin, n, element),
      panel: panel(plugin, slot, element),
      progress: label => progress(element, label, signal),
      download,
    }),
    load: name => late(new URL(name, location.origin + element.dataset.module)),
    device: async () => (await late("./identity.js")).device(),
    trust: async () => (await late("./trusted.js")).trust(plugin),
    post: async (path, body) => (await late("./post.js")).post(`/-/${plugin}/${path}`, body),
    worker: async () => (await late("./trusted.js")).worker(plugin),
    done: async (step, is = true) => (await steps?.())?.done(`${plugin}:${step}`, is),
    answer: async (step, values) => (await steps?.())?.answer(`${plugin}:${step}`, values),
  });
}

// What a filter hid is not shown because the filter has gone: the camera is off until the person turns it on.
function withhold(devices, words) {
  if (devices.wanted && !devices.cameraOff) devices.camera(false); // also one that is lent, or not yet on
  devices.withheld = devices.state === "off";          // before a visit (dashboard.js)
  devices.wear(null);
  if (devices.cameraOff) notice(words);
}
