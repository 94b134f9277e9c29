"""How the admin spells times: ISO 8601 order with the zone, which is always UTC."""
