// A message centre that speaks SMPP (npm smpp): writes down each text, and reports on it. node smpp_centre.cjs PORT STATE
const path = require("node:path");
const smpp = require(path.join(__dirname, ".parts/node_modules/smpp"));
const [port, state] = process.argv.slice(2);
let number = 0;

smpp.createServer(session => {
  session.on("error", () => {});
  session.on("bind_transceiver", pdu => {
    const good = pdu.system_id === "housecall" && pdu.password === "sekrit";
    session.send(pdu.response({ command_status: good ? 0 : smpp.ESME_RBINDFAIL }));
  });
  session.on("enquire_link", pdu => session.send(pdu.response()));
  session.on("unbind", pdu => {
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", pdu => {
    const id = String(++number), text = pdu.short_message.message;
    const hex = (Buffer.isBuffer(text) ? text : Buffer.from(String(text), "utf16le").swap16()).toString("hex");
    console.log(JSON.stringify({ id, to: pdu.destination_addr, coding: pdu.data_coding, text: String(text), hex }));
    session.send(pdu.response({ message_id: id }));
    session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611220900 done date:2611220901 stat:${state} err:000 text:`,
    });
  });
}).listen(Number(port), "127.0.0.1");
