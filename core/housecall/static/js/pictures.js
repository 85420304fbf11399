// A safety code as people read it to each other: four pictures (24 bits of it), and six digits (20 other bits) for who prefers them.

import { text } from "./text.js";

// Sixty-four, so that one stands for six bits. The order never changes: both sides may have pages of different age.
const PICTURES = () => [
  ["🐶", text("Dog")], ["🐱", text("Cat")], ["🦁", text("Lion")], ["🐴", text("Horse")],
  ["🐷", text("Pig")], ["🐘", text("Elephant")], ["🐰", text("Rabbit")], ["🐻", text("Bear")],
  ["🐔", text("Hen")], ["🐧", text("Penguin")], ["🐢", text("Turtle")], ["🐟", text("Fish")],
  ["🐙", text("Octopus")], ["🦋", text("Butterfly")], ["🐝", text("Bee")], ["🐌", text("Snail")],
  ["🌴", text("Palm tree")], ["🌵", text("Cactus")], ["🌹", text("Rose")], ["🍄", text("Mushroom")],
  ["🍎", text("Apple")], ["🍌", text("Banana")], ["🍓", text("Strawberry")], ["🍇", text("Grapes")],
  ["🍒", text("Cherries")], ["🌽", text("Corn")], ["🥕", text("Carrot")], ["🍞", text("Bread")],
  ["🧀", text("Cheese")], ["🥚", text("Egg")], ["🎂", text("Cake")], ["🍋", text("Lemon")],
  ["🏠", text("House")], ["🚲", text("Bicycle")], ["🚗", text("Car")], ["🚂", text("Train")],
  ["🚢", text("Ship")], ["🚀", text("Rocket")], ["🚜", text("Tractor")], ["⚓", text("Anchor")],
  ["🔔", text("Bell")], ["🔑", text("Key")], ["⏰", text("Alarm clock")], ["📖", text("Book")],
  ["🔨", text("Hammer")], ["💡", text("Light bulb")], ["☔", text("Umbrella")], ["👓", text("Glasses")],
  ["🎩", text("Hat")], ["👞", text("Shoe")], ["⚽", text("Ball")], ["🎸", text("Guitar")],
  ["🎺", text("Trumpet")], ["🥁", text("Drum")], ["🎁", text("Gift")], ["🎈", text("Balloon")],
  ["🌞", text("Sun")], ["🌙", text("Moon")], ["⭐", text("Star")], ["☁️", text("Cloud")],
  ["🌈", text("Rainbow")], ["🔥", text("Fire")], ["⛄", text("Snowman")], ["👑", text("Crown")],
];

// [picture, its name] four times
export function pictures(digest) {
  const all = PICTURES(), bits = (digest[4] << 16) | (digest[5] << 8) | digest[6];
  return [18, 12, 6, 0].map(shift => all[(bits >> shift) & 63]);
}

export function digits(digest) {
  const number = new DataView(digest.buffer, digest.byteOffset).getUint32(0) % 1e6;
  return String(number).padStart(6, "0").replace(/(...)(...)/, "$1 $2");
}
