"""The support desk: tickets, their messages and notes, and who hears of them."""
