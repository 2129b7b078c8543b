/**
 * A plain Socket.IO room server as such games are usually first written: whoever joins gets the whole room with every past race
 * and message, and every change of any room is sent to everybody as the whole list. In memory, nothing stored.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

type Horse = { number: number; name: string; keyframes: number[]; finishMs: number };
type Race = { number: number; horses: Horse[]; order: number[] };
type Room = {
  id: string;
  name: string;
  members: { id: string; name: string }[];
  races: Race[];
  messages: { from: string; text: string; at: number }[];
};

export async function startSendEverything(): Promise<{
  url: string;
  rooms: Map<string, Room>;
  close: () => Promise<void>;
}> {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'] });
  const rooms = new Map<string, Room>();
  io.on('connection', (socket) => {
    socket.emit('rooms', [...rooms.values()].map(card));
    socket.on('create', (name: string, ack: (id: string) => void) => {
      const id = `room-${rooms.size}`;
      rooms.set(id, { id, name, members: [], races: [], messages: [] });
      ack(id);
    });
    socket.on('join', (id: string, player: string, ack: (room: Room | undefined) => void) => {
      const room = rooms.get(id);
      room?.members.push({ id: socket.id, name: player });
      void socket.join(id);
      ack(room);
      socket.to(id).emit('members', room?.members);
      io.emit('rooms', [...rooms.values()].map(card));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, rooms, close: () => io.close() };
}

const card = (room: Room) => ({ id: room.id, name: room.name, players: room.members.length });

/** A past race as such a game keeps it: eight horses with the positions that were shown. */
export function pastRace(number: number): Race {
  const horses = Array.from({ length: 8 }, (_, index) => ({
    number: index + 1,
    name: `Horse number ${index + 1}`,
    keyframes: Array.from({ length: 120 }, (_unused, frame) => frame * 250 + index * 13),
    finishMs: 30_000 + index * 137,
  }));
  return { number, horses, order: horses.map((horse) => horse.number) };
}
