"""`manage.py demo`: a newcomer's whole visit, acted out against an installation of its own.

installation.py  database, simulator, web server and worker on free ports, gone again at the end
customer.py      one API key and what is done with it: everything goes through the public HTTP API
receiver.py      the customer's own HTTPS server, which takes the callbacks
photos.py        two photographs with a face
story.py         what is bought and refused, and what must be true of it
receipt.py       what it cost, and whether that adds up
stage.py         what one sees meanwhile
"""
