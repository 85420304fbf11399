// The socket to the practice's server: opened once a page, back by itself, with an answer or an error for each question.

import { io } from "socket.io-client";
import { key } from "./keys.js";
import { page } from "./page.js";

const PATIENCE = 8000; // ms for an answer
const LATE = 3000;     // ms after which a line that has not answered is taken for dead
const MOMENT = 1000;   // ms that a person who has pressed something waits for it

export class Link {
  // as: "seat" or "dashboard"; details(): what else the server should hear at each connect (room, pass, name)
  // heard: {event: function}; refused(code): the server does not want this page; lost(), found(): the line went, came
  constructor({ as, details, heard, refused, lost, found }) {
    this.socket = io({
      transports: ["websocket"], reconnectionDelay: 300, reconnectionDelayMax: 1500, forceNew: true,
      auth: give => give({ v: 1, as, key, ...details() }),
    });
    for (const [event, function_] of Object.entries(heard)) this.socket.on(event, function_);
    this.socket.on("cut", ({ reason }) => { this.close(); refused(reason); });
    this.due = this.last = 0;                                // since when something that we said should be answered; when something was
    this.gone = 0;                                           // since when it is closed
    this.socket.on("connect", () => { this.due = this.gone = 0; found(); });
    this.socket.on("disconnect", reason => { this.due = 0; this.gone = performance.now(); if (reason !== "io client disconnect") lost(); });
    this.socket.on("connect_error", error => {
      if (this.socket.active) lost();                       // not reached: it tries again by itself
      else refused(error.message);
    });
  }
  get connected() { return this.socket.connected; }
  // A line whose cable is out stays "connected" for long: whether this one lives, as far as can be known.
  get answers() { return this.connected && !(this.due && performance.now() - this.due > LATE); }
  // Where a call is interrupted, we want to know at once whether this line lives: one that does not is opened anew.
  probe() {
    if (!this.connected) return;
    if (!this.answers) this.socket.io.engine.close();
    else if (!this.due && performance.now() - this.last > LATE) this.emit("ice", {}, () => {});
  }
  close() { this.socket.disconnect(); }

  // Answers the server's ack: {ok: true, …} or {error, message, …}. Never waits for a line that is gone.
  ask(event, body = {}) {
    if (!this.connected) return Promise.resolve(failed());
    return new Promise(resolve => this.socket.timeout(PATIENCE).emit(event, body, (late, ack) => resolve(late ? failed() : ack)));
  }
  // Until an answer is there, or a moment has passed: a line that is half dead holds nobody up.
  soon(answer) { return Promise.race([answer, new Promise(done => setTimeout(done, MOMENT))]); }
  emit(event, body, answered) {
    this.due ||= performance.now();
    this.socket.emit(event, body, ack => {
      this.due = 0;
      this.last = performance.now();
      answered(ack);
    });
  }
}

const failed = () => ({ error: "failed", message: page.messages.failed.join(" ") });
