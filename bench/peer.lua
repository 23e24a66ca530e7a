-- CTI Server messages for Wireshark, protocol version 20 and later: header, fixed part as bytes, floating fields as tag and text.
-- What a user without ctishark would write in an afternoon, and the yardstick of speed.sh. It decodes far less than ctishark.
local cti = Proto("cti", "CTI Server")

local fields = {
  length = ProtoField.uint32("cti.len", "MessageLength"),
  kind = ProtoField.uint32("cti.type", "MessageType"),
  fixed = ProtoField.bytes("cti.fixed", "Fixed part"),
  tag = ProtoField.uint16("cti.tag", "Tag"),
  value = ProtoField.string("cti.text", "Value"),
}
cti.fields = { fields.length, fields.kind, fields.fixed, fields.tag, fields.value }

-- Bytes of the fixed part, for the messages that a user would look up first.
local fixed_part = { [3] = 44, [4] = 32, [5] = 4, [6] = 4, [9] = 54, [10] = 50, [11] = 22, [23] = 26, [25] = 40, [26] = 30, [30] = 62, [105] = 34 }

local function message_length(buffer, _, offset)
  return buffer(offset, 4):uint() + 8
end

local function dissect_message(buffer, _, root)
  local tree = root:add(cti, buffer())
  tree:add(fields.length, buffer(0, 4))
  tree:add(fields.kind, buffer(4, 4))
  local size = fixed_part[buffer(4, 4):uint()] or 0
  local offset = 8
  if size > 0 and offset + size <= buffer:len() then
    tree:add(fields.fixed, buffer(offset, size))
    offset = offset + size
  end
  while offset + 4 <= buffer:len() do
    local length = buffer(offset + 2, 2):uint()
    if offset + 4 + length > buffer:len() then break end
    local field = tree:add(fields.tag, buffer(offset, 2))
    if length > 0 then field:add(fields.value, buffer(offset + 4, length)) end
    offset = offset + 4 + length
  end
  return buffer:len()
end

function cti.dissector(buffer, _, root)
  dissect_tcp_pdus(buffer, root, 8, message_length, dissect_message)
  return buffer:len()
end

DissectorTable.get("tcp.port"):add(42027, cti)
