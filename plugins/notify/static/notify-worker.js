// Runs while no page is open: shows a notification when the practice sends one, and opens the page that it is about.

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", event => {
  const { title = "", open = "/dashboard", answer = "", label = "" } = read(event.data);
  const actions = answer ? [{ action: "answer", title: label }] : [];
  event.waitUntil(self.registration.showNotification(title, { tag: "waiting", renotify: true, actions, data: { open, answer } }));
});

self.addEventListener("notificationclick", event => {
  const { data } = event.notification;
  event.notification.close();
  event.waitUntil(event.action === "answer" ? self.clients.openWindow(data.answer) : show(data.open));
});

// A push must be shown, whatever it holds: browsers show words of their own where we show none.
function read(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

// The page that is open already, or a new one.
async function show(path) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find(({ url }) => new URL(url).pathname === path);
  return there ? there.focus() : self.clients.openWindow(path);
}
