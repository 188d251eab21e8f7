"""The room of printers: instructions as text. What an operand means is data; a printer only chooses the words for it."""
