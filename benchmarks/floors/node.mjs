// The floor in Node: the least socket.io server that relays signals and takes check-ins. node node.mjs PORT
import http from "node:http";
import { Server } from "socket.io";

const server = http.createServer((request, response) => response.end("ok"));
const io = new Server(server);
io.on("connection", socket => {
  socket.on("join", ({ room }) => socket.join(room));
  socket.on("dash", () => socket.join("dashboards"));
  socket.on("signal", signal => socket.to(signal.room).emit("signal", signal));
  socket.on("checkin", patient => io.to("dashboards").emit("checkin", patient));
});
server.listen(+process.argv[2], "127.0.0.1");
