"""What everyday words stand for: a question about hobbies is answered by a text about hiking.

A small table of general kinds and what is of them, in English and Vietnamese. It is no dictionary:
it lets a question reach texts that share none of its words, when no embedder is there to do so.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from iaiflow_memory.terms import tokens

#: Words for a kind, then what is of that kind.
_TABLE = """
family, relative: fam, parent, mother, father, mom, mum, dad, kid, child, son, daughter, brother,
    sister, sibling, husband, wife, spouse, grandma, grandmother, grandpa, grandfather, aunt,
    uncle, cousin, niece, nephew
child, kid: son, daughter, baby, toddler, youth, teen, teenager
parent: mother, father, mom, mum, dad
mother: mom, mum, mama
father: dad, daddy, papa
grandparent: grandma, grandmother, grandpa, grandfather
sibling: brother, sister
spouse, partner: husband, wife, boyfriend, girlfriend, fiance, fiancee
marriage: married, wedding, husband, wife, spouse, engaged, divorce
relationship: dating, single, married, partner, boyfriend, girlfriend, breakup, divorce
friend: buddy, pal, mate
pet, animal: dog, puppy, cat, kitten, bird, parrot, fish, hamster, rabbit, turtle, horse
dog: puppy, pup
cat: kitten, kitty
job, work, career, profession, occupation: employer, employee, position, role, company, boss,
    office, business, hired, salary, interview, promotion
business, company: startup, store, shop, firm, venture, entrepreneur
school, education: study, student, class, course, college, university, degree, graduate, teacher,
    exam, lesson, learn, campus
hobby, activity, pastime: hiking, camping, painting, drawing, reading, running, swimming, cooking,
    baking, gardening, dancing, singing, pottery, photography, fishing, knitting, cycling, yoga,
    gaming, climbing, skiing, surfing, kayaking, workshop, class, club
sport, exercise, workout, fitness: gym, running, yoga, swimming, football, soccer, basketball,
    tennis, baseball, volleyball, hockey, boxing, cycling, hiking, marathon, race, training, jog,
    surfing, skiing, golf
instrument: guitar, piano, violin, drum, flute, clarinet, saxophone, cello, ukulele, trumpet, bass,
    keyboard
music: song, band, concert, album, singer, guitar, piano, melody, playlist, musician
band, musician: concert, album, song, gig
art: painting, drawing, sculpture, pottery, sketch, canvas, gallery, exhibit, artist
painting: canvas, portrait, watercolor, sketch, landscape
book: novel, read, author, story, series
movie, film: watch, cinema, series, actor, show
game: videogame, console, board, chess, card
food, dish, meal, cuisine: cook, eat, recipe, dinner, lunch, breakfast, bake, restaurant, snack,
    cake, pizza, pasta, soup, salad, chicken, rice
dessert: cake, cookie, pie, chocolate, pastry
drink, beverage: coffee, tea, wine, beer, juice, soda
travel, trip, vacation, holiday: visit, journey, flight, tour, abroad, beach, mountain, country,
    city, hotel, explore
country: abroad, nation, home
city, town, place: visit, live, move, downtown
live, residence: home, house, apartment, move, neighborhood
house, home: apartment, room, flat
outdoors, nature: hike, park, forest, mountain, beach, camping, lake, river, trail
car, vehicle: drive, truck, bike, motorcycle
health, medical: doctor, hospital, sick, illness, disease, diagnosis, surgery, medicine, therapy,
    injury
injury: hurt, broke, sprain, accident, pain
therapy: therapist, counseling, counselor
stress, relax, destress, unwind: calm, therapy, peaceful, soothing, meditate, reset, recharge
feeling, emotion: happy, sad, nervous, excited, proud, anxious, scared, glad, grateful, upset
afraid, fear: scared, anxious, nervous, worried
money, finance: buy, pay, cost, salary, save, loan, budget, price, dollar
volunteer, charity: donate, donation, community, shelter, fundraise, help, homeless, nonprofit
goal, plan, dream: hope, want, aim, future, aspire
hardship, challenge, problem, struggle: tough, hard, setback, lose, obstacle, difficult
gift, present: give, receive, birthday
event, celebration: party, festival, wedding, birthday, parade, concert, conference, fair,
    ceremony, meeting
religion, faith: church, god, pray, prayer, spiritual
military: army, veteran, service, soldier, war
political, politics: campaign, vote, election, mayor, government
identity, gender: trans, transgender, gay, lesbian, queer, woman, man
purchase: buy, shop, order, get
begin, start: launch, open
like, love, enjoy, favorite, prefer: like, love, enjoy, favorite, fan
dislike, hate: dislike, hate
color: red, blue, green, yellow, purple, orange, black, white, pink
season: summer, winter, spring, autumn, fall
weather: rain, snow, sunny, storm, cold, hot
clothes, clothing: shirt, dress, shoe, hat, jacket, outfit
award, prize: win, trophy, medal, contest, competition, champion
competition, contest, tournament: compete, race, win, prize, award
device, technology: computer, phone, laptop, app, software
gia đình: bố, mẹ, cha, má, con, vợ, chồng, ông, bà, anh trai, chị gái, em trai, em gái
cha mẹ, bố mẹ: bố, mẹ, cha, má
thú cưng, động vật: chó, mèo, chim, cá, thỏ, ngựa
công việc, nghề nghiệp: lương, công ty, văn phòng, phỏng vấn, thăng chức
sở thích: du lịch, đọc sách, nấu ăn, ca hát, chụp ảnh, leo núi, bơi lội, câu cá
thể thao: bóng đá, bóng rổ, bơi lội, cầu lông, chạy bộ, quần vợt
nhạc cụ: đàn, trống, sáo, ghi ta
món ăn, ẩm thực: cơm, phở, bún, bánh, canh, lẩu
đồ uống: cà phê, trà, bia, rượu, nước ép
sức khỏe: bác sĩ, bệnh viện, ốm, thuốc, phẫu thuật
trường học, giáo dục: học sinh, sinh viên, giáo viên, đại học, bài tập
"""


def related(terms: Iterable[str]) -> list[str]:
    """Return the terms of what is of the kinds that a question names, each once.

    Args:
        terms: The terms of the question; none of them is returned.
    """
    asked = dict.fromkeys(terms)
    table = _table()
    found = (member for term in asked for member in table.get(term, ()))
    return [term for term in dict.fromkeys(found) if term not in asked]


@cache
def _table() -> dict[str, tuple[str, ...]]:
    table: dict[str, dict[str, None]] = {}
    for line in _TABLE.replace("\n    ", " ").strip().splitlines():
        kinds, members = ([_term(word) for word in part.split(",")] for part in line.split(":"))
        for kind in kinds:
            table.setdefault(kind, {}).update(dict.fromkeys([*kinds, *members]))
    return {kind: tuple(members) for kind, members in table.items()}


def _term(word: str) -> str:
    """Return the term that tells most of a word: that of all syllables, or with diacritics."""
    return tokens(word)[-1]
