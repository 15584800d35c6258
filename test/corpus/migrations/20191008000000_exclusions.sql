CREATE TABLE bookings (
  room integer NOT NULL, during int4range, note text,
  CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (room > 0) DEFERRABLE,
  CONSTRAINT rooms_exist CHECK (room < 1000) NO INHERIT
);
ALTER TABLE bookings ADD CONSTRAINT note_is_short CHECK (length(note) < 100) NOT VALID;
COMMENT ON CONSTRAINT no_overlap ON bookings IS 'one party a room';
COMMENT ON COLUMN bookings.room IS 'its number';
COMMENT ON INDEX no_overlap IS 'searched by range';
